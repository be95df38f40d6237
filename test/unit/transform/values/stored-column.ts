// What a codec stored, read back by a decoder of the test's own: pages, levels and values, so that the product's decoding
// of PostgreSQL's forms is never judged by itself.
import type { LeafType } from '../../../../internal/model/lake-column.js'
import { BufferPool } from '../../../../internal/transform/buffer-pool.js'
import type { RawPage } from '../../../../internal/transform/parquet/column-buffers.js'
import { Intake } from '../../../../internal/transform/parquet/leaf-values.js'
import { HEAD_BYTES } from '../../../../internal/transform/parquet/page-values.js'
import type { ValueCodec } from '../../../../internal/transform/values/value-codec.js'

/** One stored value, canonical: see `leafTexts`. */
export type Stored = string | null | (string | null)[]

export interface StoredColumn {
  /** Row k was refused: its put answered false. */
  readonly refused: boolean[]
  readonly rows: Stored[]
  /** Everything of the page that a file would hold. */
  readonly page: { levels: string; values: string; rows: number; slots: number; nulls: number; count: number }
}

/** Puts the values, one a row; null: no value. */
export function store(
  codec: ValueCodec,
  form: 'putText' | 'putBinary',
  values: readonly (Buffer | null)[],
): StoredColumn {
  const bound = codec.bind(new Intake(new BufferPool(() => undefined, 0)))
  const put = bound[form]
  if (put === undefined) throw new Error('no binary form')
  const refused = values.map((value, row) => {
    // Never at offset 0, and never at the end of its buffer.
    const framed = value && Buffer.concat([Buffer.from('<<<'), value, Buffer.from('>>')])
    const taken = framed !== null && put(framed, 3, framed.length - 2)
    if (!taken) bound.buffer.appendNull(row)
    return framed !== null && !taken
  })
  const page = bound.buffer.seal(values.length)
  if (page === undefined) throw new Error('no rows')
  const texts = leafTexts(codec.type, page.values.buffer.subarray(HEAD_BYTES, page.values.used), page.count)
  const { rows, slots, nulls, count } = page
  return {
    refused,
    rows: codec.list ? readLists(page, texts) : readScalars(page, texts),
    page: {
      levels: page.levels.toString('hex'),
      values: page.values.buffer.toString('hex', HEAD_BYTES, page.values.used),
      rows,
      slots,
      nulls,
      count,
    },
  }
}

/**
 * bool: t, f. Integers, dates, timestamps and decimals: the stored integer. Floats: the bits, big-endian in hex. Strings:
 * as they are. Bytes: hex.
 */
export function leafTexts(type: LeafType, plain: Buffer, count: number): string[] {
  let at = 0
  const next = (bytes: number): Buffer => plain.subarray(at, (at += bytes))
  const texts = Array.from({ length: count }, (_, k): string => {
    switch (type.physical) {
      case 'BOOLEAN':
        return ((plain[k >> 3]! >> (k & 7)) & 1) === 1 ? 't' : 'f'
      case 'INT32':
        return next(4).readInt32LE().toString()
      case 'INT64':
        return next(8).readBigInt64LE().toString()
      case 'FLOAT':
        return Buffer.from(next(4)).swap32().toString('hex')
      case 'DOUBLE':
        return Buffer.from(next(8)).swap64().toString('hex')
      case 'FIXED16':
        return BigInt.asIntN(128, BigInt(`0x${next(16).toString('hex')}`)).toString()
      case 'BYTE_ARRAY':
        return next(next(4).readUInt32LE()).toString(type.logical === 'bytes' ? 'hex' : 'utf8')
    }
  })
  if (type.physical === 'BOOLEAN') at = Math.ceil(count / 8)
  if (at !== plain.length) throw new Error(`${plain.length - at} bytes left over`)
  return texts
}

function readScalars(page: RawPage, texts: readonly string[]): Stored[] {
  const definition = readLevels(page.levels, 0, 1, page.slots)
  let value = 0
  return definition.levels.map((level) => (level === 1 ? texts[value++]! : null))
}

function readLists(page: RawPage, texts: readonly string[]): Stored[] {
  const repetition = readLevels(page.levels, 0, 1, page.slots)
  const definition = readLevels(page.levels, repetition.end, 2, page.slots)
  const rows: Stored[] = []
  let value = 0
  definition.levels.forEach((level, slot) => {
    const element = level === 3 ? [texts[value++]!] : level === 2 ? [null] : []
    if (repetition.levels[slot] === 0) rows.push(level === 0 ? null : element)
    else (rows.at(-1) as (string | null)[]).push(...element)
  })
  return rows
}

/** RLE and bit-packed runs behind a length (https://github.com/apache/parquet-format/blob/master/Encodings.md#RLE). */
function readLevels(buffer: Buffer, start: number, bitWidth: number, count: number): { levels: number[]; end: number } {
  const end = start + 4 + buffer.readUInt32LE(start)
  const levels: number[] = []
  let at = start + 4
  while (at < end) {
    let header = 0
    for (let shift = 0; ; shift += 7) {
      header |= (buffer[at]! & 127) << shift
      if (buffer[at++]! < 128) break
    }
    const length = header >>> 1
    if ((header & 1) === 0) {
      const level = buffer[at++]!
      for (let k = 0; k < length; k++) levels.push(level)
      continue
    }
    for (let k = 0; k < length * 8; k++) {
      let level = 0
      for (let bit = 0; bit < bitWidth; bit++) {
        const position = k * bitWidth + bit
        level |= ((buffer[at + (position >> 3)]! >> (position & 7)) & 1) << bit
      }
      levels.push(level)
    }
    at += length * bitWidth
  }
  if (levels.length < count) throw new Error('levels are missing')
  return { levels: levels.slice(0, count), end }
}
