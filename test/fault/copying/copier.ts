// Taking a snapshot, laying the table out, reading its parts and staging them.
import type { CopiedPiece } from '../../../internal/model/batch-record.js'
import type { PieceOfTable, TableCopyOptions } from '../../../internal/pipeline/copying/table-copy.js'
import { TableCopy } from '../../../internal/pipeline/copying/table-copy.js'
import { heldAt, TABLE, withVersion, type Model, type Step } from './model.js'
import { OID } from './source.js'
import {
  ALIGNED,
  placeAfter,
  sorted,
  withWriter,
  type Layout,
  type Reading,
  type Told,
  type World,
  type Writer,
} from './world.js'

const SCHEMA_VERSION = 1

export async function copierSteps(model: Model, world: World, index: 0 | 1, writer: Writer): Promise<Step[]> {
  const { reading } = writer
  if (reading === undefined) return takeSnapshot(model, world, index, writer)
  if (reading.layout === undefined) return layOut(model, world, index, writer, reading)
  if (reading.failed) return []
  const steps: Step[] = []
  for (const [part, work] of partsOf(reading.layout).entries())
    if (!reading.told.some((told) => 'part' in told && told.part === part))
      steps.push(await readPart(model, world, index, writer, reading, reading.layout, part, work))
  return steps
}

function takeSnapshot(model: Model, world: World, index: 0 | 1, writer: Writer): Step[] {
  if (writer.cut || (world.answered && model.totals(world, writer.known).isFinished(TABLE))) return []
  const wal = world.wal + ALIGNED
  const snapshot = { seen: world.committed, point: BigInt(wal) }
  const reading = { snapshot, layout: undefined, told: [], asked: 0, failed: false }
  const label = `${name(writer)} takes a snapshot at ${wal}, which sees ${snapshot.seen} transactions`
  return [{ label, fault: false, world: withWriter({ ...world, wal }, index, { ...writer, reading }) }]
}

function layOut(model: Model, world: World, index: 0 | 1, writer: Writer, reading: Reading): Step[] {
  const { rules, source } = model
  const { seen, point } = reading.snapshot
  if (rules.copyAwaitsStream && placeAfter(world, writer.known).endLsn < point) return []
  const label = `${name(writer)} lays the table out`
  const again = withWriter(world, index, { ...writer, reading: undefined })
  if (!rules.isSame(source.table(world.committed), source.table(seen)))
    return [{ label: `${label}: it was changed`, fault: false, world: again }]
  const lsn = rules.lsnOfRows(point)
  const earlierOids = world.versions.filter(({ from }) => from <= lsn).map(({ oid }) => oid)
  const laterOids = world.versions.filter(({ from }) => from > lsn).map(({ oid }) => oid)
  if (rules.isSuperseded({ relationOid: OID, earlierOids, laterOids }))
    return [{ label: `${label}: the stream has superseded it`, fault: false, world: again }]
  const way = rules.wayOfCopy({
    hasKey: source.hasKey,
    relationOid: OID,
    earlierOids,
    replaces: model.scenario.asked !== undefined,
    chosenRows: model.chosenKeys !== undefined,
  })
  const chosen = model.chosenKeys === undefined ? {} : { request: { id: 'asked', where: 'of these keys' } }
  const done: readonly CopiedPiece[] =
    way.whole || model.chosenKeys !== undefined ? [] : model.totals(world, writer.known).piecesOf(TABLE)
  const table = source.table(seen)
  const pieces = rules.piecesLeft({
    ...{ table, pages: [source.pages(world.committed)], schemaVersion: SCHEMA_VERSION, done },
    ...{ readsRanges: true, pagesAPiece: 1 },
  })
  const layout = model.layout({
    ...{ wanted: { ...TABLE, oid: OID, ...chosen }, table: { ...TABLE, lsn }, source: table, pieces, ...way },
    pages: [source.pages(world.committed)],
    ...{ xmin: BigInt(rules.xminOf(source, seen)), layout: undefined as never },
    version: { version: SCHEMA_VERSION } as TableCopyOptions['version'],
  })
  const versions = heldAt(world.versions, lsn)?.oid === OID ? world.versions : withVersion(world.versions, lsn)
  const laidOut = withWriter({ ...world, versions }, index, { ...writer, reading: { ...reading, layout } })
  return [{ label: `${label}: ${pieces.length} pieces`, fault: false, world: laidOut }]
}

async function readPart(
  model: Model,
  world: World,
  index: 0 | 1,
  writer: Writer,
  reading: Reading,
  layout: Layout,
  part: number,
  { piece, supersedes }: Partial<PieceOfTable>,
): Promise<Step> {
  const { rules, source } = model
  const { seen, point } = reading.snapshot
  const label = `${name(writer)} reads and stages part ${part}`
  if (!rules.isSame(source.table(world.committed), source.table(seen))) {
    const failed = ended({ ...reading, failed: true })
    return { label: `${label}: changed`, fault: false, world: withWriter(world, index, { ...writer, reading: failed }) }
  }
  const _lsn = rules.lsnOfRows(point)
  const isChosen = ({ key }: { key: number }): boolean => model.chosenKeys?.includes(key) ?? true
  const stored = piece === undefined ? [] : source.read(seen, world.committed, piece).filter(isChosen)
  const rows = [
    ...(supersedes === true ? [{ _op: 'T', _lsn, _seq: -1 }] : []),
    ...stored.map(({ key, small, large }, k) => ({ _op: 'S', _lsn, _seq: piece!.seqFrom + k, key, small, large })),
  ]
  const file = rows.length === 0 ? undefined : model.copiedFile(writer.run, _lsn, part, rows, supersedes === true)
  const staged = file === undefined ? world.staged : sorted([...world.staged, file])
  const told = await tell(model, { ...writer, reading }, reading, layout, { part, file })
  const counted = rules.countingAwaitsCommit
    ? world.counted
    : [...world.counted, ...told.waiting.slice(writer.waiting.length).map(({ copy }) => copy)]
  const answered = world.answered || hasEnded(reading, told)
  return { label, fault: false, world: withWriter({ ...world, staged, counted, answered }, index, told) }
}

/** The table's copy is told of a part or a commit, and may want more batches. */
export async function tell(model: Model, writer: Writer, reading: Reading, layout: Layout, one: Told): Promise<Writer> {
  const told = [...reading.told, one]
  const requests = await model.product.requests(layout, told)
  const fresh = requests.slice(reading.asked).map((planned, k) => ({
    ...{ point: reading.snapshot.point, index: reading.asked + k, copy: model.copy(planned) },
  }))
  return {
    ...writer,
    waiting: [...writer.waiting, ...fresh],
    reading: ended({ ...reading, told, asked: requests.length }),
  }
}

/** All of the copy is durable. */
export function hasEnded(reading: Reading | undefined, after: Writer): boolean {
  return reading?.failed === false && after.reading === undefined
}

/** Undefined once nothing is read any more and all that it wanted is committed. */
function ended(reading: Reading): Reading | undefined {
  const { layout, told, asked, failed } = reading
  const parts = told.filter((one) => 'part' in one).length
  const whole = failed || parts === partsOf(layout!).length
  return whole && told.length - parts === asked ? undefined : reading
}

const parts = new WeakMap<Layout, readonly Partial<PieceOfTable>[]>()

/** An empty table is one part without anything. */
function partsOf(layout: Layout): readonly Partial<PieceOfTable>[] {
  let known = parts.get(layout)
  if (known === undefined) {
    const work = new TableCopy({ ...layout.options, commit: () => new Promise(() => undefined) }).work()
    parts.set(layout, (known = work.length === 0 ? [{}] : work))
  }
  return known
}

export function name({ run, cut }: Writer): string {
  return `session ${run}${cut ? ' (cut off)' : ''}`
}
