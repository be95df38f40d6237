// Writes tables of plain values through the product's column buffers, chunks and file writer, with page and row group
// boundaries wherever a test wants them.
import { BufferPool } from '../../internal/transform/buffer-pool.js'
import type { LakeColumn, LeafType } from '../../internal/model/lake-column.js'
import { ListColumn, RunColumn, ScalarColumn, SparseColumn } from '../../internal/transform/parquet/column-buffers.js'
import type { ColumnBuffer } from '../../internal/transform/parquet/column-buffers.js'
import { ColumnChunk } from '../../internal/transform/parquet/column-chunk.js'
import { PageShelf } from '../../internal/transform/parquet/page-shelf.js'
import { ParquetFileWriter } from '../../internal/transform/parquet/file-writer.js'
import {
  BooleanValues,
  BytesValues,
  Fixed16Values,
  Int32Values,
  Int64Values,
  Intake,
  type LeafValues,
} from '../../internal/transform/parquet/leaf-values.js'
import { zstdAt, type Compress } from '../../internal/transform/zstd.js'

/** A value: BYTE_ARRAY as bytes, INT64 and FIXED16 as bigint, the others as JavaScript has them. */
export type Scalar = boolean | number | bigint | Buffer
export type Cell = Scalar | null | readonly (Scalar | null)[]

export interface TestColumn {
  readonly column: LakeColumn
  /** `sparse` and `run` are the product's own columns; `run` takes INT64 or texts of one length. */
  readonly storage: 'plain' | 'sparse' | 'run'
  readonly cells: readonly Cell[]
}

export interface WriteOptions {
  /** The page of column `k` closes behind row `row` even where it is not full. */
  readonly sealAfter?: (k: number, row: number) => boolean
  /** The row group closes behind row `row`. */
  readonly groupAfter?: (row: number) => boolean
  readonly compress?: Compress
}

export interface WrittenFile {
  readonly bytes: Buffer
  /** What the meter says is held when all was given back: must be nothing. */
  readonly leakedBytes: number
}

export function plain(name: string, type: LeafType, cells: readonly Cell[], list = false): TestColumn {
  return { column: { name, type, list }, storage: 'plain', cells }
}

export async function writeTable(columns: readonly TestColumn[], options: WriteOptions = {}): Promise<WrittenFile> {
  let held = 0
  const meter = (delta: number): void => void (held += delta)
  const pool = new BufferPool(meter, 1 << 20)
  const context = { pool, compress: options.compress ?? zstdAt(1), meter, leaving: () => undefined }
  const shelf = new PageShelf(pool, meter)
  const intake = new Intake(pool)
  const inputs = columns.map((column) => inputOf(column, intake))
  const file = new ParquetFileWriter(
    columns.map(({ column }) => column),
    'wal-cake version 0.0.0 (build 0)',
  )
  const rows = columns[0]?.cells.length ?? 0
  let groupStart = 0
  let chunks = columns.map(({ column }) => new ColumnChunk(column, context, shelf))

  const seal = (k: number, rowEnd: number): void => {
    const page = inputs[k]!.buffer.seal(rowEnd)
    inputs[k]!.sealed()
    if (page !== undefined) chunks[k]!.add(page)
  }
  for (let row = 0; row < rows; row++) {
    const inGroup = row - groupStart
    inputs.forEach((input, k) => input.append(inGroup, columns[k]!.cells[row]!))
    if (intake.sealDue) {
      intake.sealDue = false
      for (let k = 0; k < inputs.length; k++) if (inputs[k]!.buffer.full) seal(k, inGroup + 1)
    }
    for (let k = 0; k < inputs.length; k++) if (options.sealAfter?.(k, row) === true) seal(k, inGroup + 1)
    if (row + 1 < rows && options.groupAfter?.(row) !== true) continue
    for (let k = 0; k < inputs.length; k++) seal(k, inGroup + 1)
    const encoded = await Promise.all(chunks.map((chunk) => chunk.finish()))
    file.addRowGroup(encoded, inGroup + 1)
    for (const { buffer } of inputs) buffer.restart()
    chunks = columns.map(({ column }) => new ColumnChunk(column, context, shelf))
    groupStart = row + 1
  }
  for (const { buffer } of inputs) buffer.discard()
  const bytes = Buffer.concat(file.finish().parts)
  shelf.release()
  return { bytes, leakedBytes: held }
}

interface ColumnInput {
  readonly buffer: ColumnBuffer
  append(row: number, cell: Cell): void
  sealed(): void
}

function inputOf({ column, storage }: TestColumn, intake: Intake): ColumnInput {
  if (storage === 'sparse') return sparseInput(intake)
  if (storage === 'run') return runInput(column, intake)
  const { leaf, push } = leafOf(column.type, intake)
  if (column.list) return listInput(new ListColumn(leaf), push)
  const buffer = new ScalarColumn(leaf)
  return {
    buffer,
    append(row, cell) {
      if (cell === null) buffer.appendNull(row)
      else push(cell as Scalar)
    },
    sealed: () => undefined,
  }
}

function listInput(buffer: ListColumn<LeafValues>, push: (value: Scalar) => void): ColumnInput {
  return {
    buffer,
    append(row, cell) {
      if (cell === null) {
        buffer.appendNull(row)
        return
      }
      buffer.beginList()
      for (const element of cell as readonly (Scalar | null)[]) {
        if (element !== null) push(element)
        buffer.element(element !== null)
      }
      buffer.endList()
    },
    sealed: () => undefined,
  }
}

function sparseInput(intake: Intake): ColumnInput {
  const buffer = new SparseColumn(intake)
  return {
    buffer,
    append(row, cell) {
      if (cell === null) buffer.appendNull(row)
      else buffer.present(row).push(cell as Buffer, 0, (cell as Buffer).length)
    },
    sealed: () => undefined,
  }
}

function runInput(column: LakeColumn, intake: Intake): ColumnInput {
  const { leaf, push } = leafOf(column.type, intake)
  const buffer = new RunColumn(leaf as Int64Values | BytesValues)
  let running: Cell | undefined
  return {
    buffer,
    append(row, cell) {
      if (running !== undefined && sameCell(running, cell)) return
      running = cell
      if (cell === null) buffer.appendNull(row)
      else {
        buffer.beginRun(row)
        push(cell as Scalar)
      }
    },
    sealed: () => (running = undefined),
  }
}

function sameCell(a: Cell, b: Cell): boolean {
  return a === b || (Buffer.isBuffer(a) && Buffer.isBuffer(b) && a.equals(b))
}

const bits = new DataView(new ArrayBuffer(8))

function leafOf(type: LeafType, intake: Intake): { leaf: LeafValues; push: (value: Scalar) => void } {
  switch (type.physical) {
    case 'BOOLEAN': {
      const leaf = new BooleanValues(intake)
      return { leaf, push: (value) => leaf.push(value as boolean) }
    }
    case 'INT32': {
      const leaf = new Int32Values(intake)
      return { leaf, push: (value) => leaf.push(value as number) }
    }
    case 'FLOAT': {
      const leaf = new Int32Values(intake)
      return {
        leaf,
        push(value) {
          bits.setFloat32(0, value as number)
          leaf.push(bits.getInt32(0))
        },
      }
    }
    case 'INT64': {
      const leaf = new Int64Values(intake)
      return { leaf, push: (value) => leaf.push(Number(BigInt.asIntN(32, value as bigint)), highOf(value as bigint)) }
    }
    case 'DOUBLE': {
      const leaf = new Int64Values(intake)
      return {
        leaf,
        push(value) {
          bits.setFloat64(0, value as number)
          leaf.push(bits.getInt32(4), bits.getInt32(0))
        },
      }
    }
    case 'FIXED16': {
      const leaf = new Fixed16Values(intake)
      return { leaf, push: (value) => leaf.push(bigEndian16(value as bigint), 0) }
    }
    case 'BYTE_ARRAY': {
      const leaf = new BytesValues(intake)
      return { leaf, push: (value) => leaf.push(value as Buffer, 0, (value as Buffer).length) }
    }
    default:
      return type satisfies never
  }
}

function highOf(value: bigint): number {
  return Number(BigInt.asIntN(32, value >> 32n))
}

export function bigEndian16(value: bigint): Buffer {
  return Buffer.from(BigInt.asUintN(128, value).toString(16).padStart(32, '0'), 'hex')
}
