// One state of the model: the server's slot, the bucket, two writers, and what faults are left. Immutable; every state has
// a string that is the same for equal states.
import type { Commit, CutParameters, Plan } from '../../../internal/model/batch-record.js'
import type { Lsn } from '../../../internal/model/lsn.js'
import type { LogGap } from '../../../internal/storage/log-rules.js'
import { NOTHING, type Folded } from './folded-log.js'
import { idOf, type StoredFile, type WriterId } from './records.js'

/** What the server has to send, in order of positions. Quiet positions may be left out, transactions not. */
export type Message =
  | { readonly kind: 'transaction'; readonly number: number; readonly large: boolean }
  | { readonly kind: 'quiet'; readonly position: Lsn }

export interface Scenario {
  readonly messages: readonly Message[]
  /** Files of a batch. */
  readonly parts: 1 | 2
  /** Connections that break or processes that die. */
  readonly cuts: number
  /** Requests of sessions that are over and yet arrive. */
  readonly lateRequests: number
  readonly batchesInFlight: number
  readonly head: boolean
  /** A checkpoint is due after each commit. */
  readonly checkpoints: boolean
}

export interface Bucket {
  readonly serial: number
  /** identity.json is there. */
  readonly claimed: boolean
  readonly plans: readonly (Plan | undefined)[]
  readonly commits: readonly (Commit | undefined)[]
  /** Sorted by key. */
  readonly files: readonly StoredFile[]
  /** Number of the commit in head.json, -1 where there is none. */
  readonly head: number
  /** By the batch up to which they fold the log. */
  readonly checkpoints: readonly (Folded | undefined)[]
}

export interface Batch {
  readonly number: number
  readonly plan: Plan
  /** Parameters by which its files are cut. */
  readonly cut: CutParameters
  readonly planned: boolean
  /** Undefined while its last transaction is still coming. */
  readonly endLsn: Lsn | undefined
  readonly transactions: readonly number[]
  /** Parts, by bit. */
  readonly stored: number
}

export interface Writer {
  readonly serial: number
  readonly id: WriterId
  readonly phase: 'down' | 'slot read' | 'log probed' | 'checkpoint seen' | 'log listed' | 'starting' | 'streaming'
  /** Starting: what was seen so far. */
  readonly slotSeen: Lsn | undefined
  readonly claimSeen: boolean | undefined
  readonly lastSeen: Commit | undefined
  readonly gapSeen: LogGap | undefined
  /** Batch of the newest checkpoint, -1 where there was none. */
  readonly checkpointSeen: number
  // The ledger
  readonly durable: Lsn
  readonly received: Lsn
  // The stream and the builder
  /** Index of the next message. */
  readonly cursor: number
  readonly halfReceived: boolean
  readonly replaying: readonly Plan[]
  readonly from: Lsn
  /** Whole transactions of the open batch. */
  readonly open: readonly number[]
  // The committer
  readonly next: number
  readonly queue: readonly Batch[]
  /** Number of the commit that head.json is to show, -1 for none. */
  readonly headDue: number
  /** Everything that is durable, as it knows it. */
  readonly folded: Folded
  /** The checkpoint that is to be written, 0 for none. */
  readonly checkpointDue: Folded
}

export type LateRequest =
  | { readonly what: 'plan'; readonly plan: Plan }
  | { readonly what: 'file'; readonly file: StoredFile }
  | { readonly what: 'commit'; readonly commit: Commit }
  | { readonly what: 'checkpoint'; readonly folded: Folded }

export interface World {
  readonly confirmed: Lsn
  readonly holder: WriterId | undefined
  readonly bucket: Bucket
  readonly a: Writer
  readonly b: Writer
  readonly late: LateRequest | undefined
  readonly cutsLeft: number
  readonly lateLeft: number
}

/** Most steps end a session: one object each. */
const DOWN: Readonly<Record<WriterId, Writer>> = { a: newWriter('a'), b: newWriter('b') }

export function down(id: WriterId): Writer {
  return DOWN[id]
}

function newWriter(id: WriterId): Writer {
  return {
    ...{ serial: 0, id, phase: 'down', durable: 0n, received: 0n },
    ...{ slotSeen: undefined, claimSeen: undefined, lastSeen: undefined, gapSeen: undefined },
    ...{ checkpointSeen: -1, folded: NOTHING, checkpointDue: NOTHING },
    ...{ cursor: 0, halfReceived: false, replaying: [], from: 0n, open: [], next: 0, queue: [], headDue: -1 },
  }
}

export function firstWorld(scenario: Scenario): World {
  const world: World = {
    ...{
      confirmed: 0n,
      holder: undefined,
      bucket: { serial: 0, claimed: false, plans: [], commits: [], files: [], head: -1, checkpoints: [] },
    },
    ...{ a: down('a'), b: down('b'), late: undefined },
    ...{ cutsLeft: scenario.cuts, lateLeft: scenario.lateRequests },
  }
  return withBucket(withWriter(withWriter(world, world.a), world.b), {})
}

/** The end of the log in the bucket. */
export function logEnd({ commits }: Bucket): Lsn {
  return commits.reduce<Lsn>((end, commit) => (commit !== undefined && commit.endLsn > end ? commit.endLsn : end), 0n)
}

/** Equal parts of states are one object, whose serial number stands for it. */
const writers = new Map<string, Writer>()
const buckets = new Map<string, Bucket>()

export function withWriter(world: World, changed: Writer): World {
  const key = writerKey(changed)
  let writer = writers.get(key)
  if (writer === undefined) writers.set(key, (writer = { ...changed, serial: writers.size + 1 }))
  return writer.id === 'a' ? { ...world, a: writer } : { ...world, b: writer }
}

export function withBucket(world: World, change: Partial<Bucket>): World {
  const changed = { ...world.bucket, ...change }
  const { claimed, plans, commits, files, head, checkpoints } = changed
  const key = `${claimed};${plans.map(idOf).join()};${commits.map(idOf).join()};${files.map(({ id }) => id).join()};${head};${checkpoints.join()}`
  let bucket = buckets.get(key)
  if (bucket === undefined) buckets.set(key, (bucket = { ...changed, serial: buckets.size + 1 }))
  return { ...world, bucket }
}

export function keyOfWorld({ confirmed, holder, late, cutsLeft, lateLeft, bucket, a, b }: World): string {
  return `${confirmed}${holder ?? ' '}${cutsLeft}${lateLeft}${keyOfLate(late)} ${bucket.serial} ${a.serial} ${b.serial}`
}

function keyOfLate(late: LateRequest | undefined): string {
  if (late === undefined) return ''
  switch (late.what) {
    case 'file':
      return `f${late.file.id}`
    case 'plan':
      return `p${idOf(late.plan)}`
    case 'commit':
      return `c${idOf(late.commit)}`
    case 'checkpoint':
      return `k${late.folded}`
  }
}

function writerKey(writer: Writer): string {
  if (writer.phase === 'down') return writer.id
  const {
    phase,
    slotSeen,
    claimSeen,
    lastSeen,
    gapSeen,
    durable,
    received,
    cursor,
    halfReceived,
    replaying,
    from,
    open,
  } = writer
  const gap = gapSeen === undefined ? '' : `${gapSeen.missing.record}${gapSeen.missing.batch}`
  const seen = `${writer.id} ${phase} ${slotSeen ?? ''}${claimSeen ?? ''} ${idOf(lastSeen)} ${gap}`
  if (phase === 'slot read' || phase === 'log probed') return seen
  if (phase === 'checkpoint seen') return `${seen} ${writer.checkpointSeen}`
  const stream = `${durable} ${received} ${cursor}${halfReceived ? '+' : ''} ${replaying.map(idOf).join()} ${from} ${open.join()}`
  return `${seen} ${stream} ${writer.next} ${writer.queue.map(batchKey).join()} ${writer.headDue} ${writer.folded} ${writer.checkpointDue}`
}

function batchKey({ number, plan, cut, planned, endLsn, transactions, stored }: Batch): string {
  return `${number}:${idOf(plan)}/${cut.rollBytes}${planned ? '!' : '?'}${endLsn ?? ''}:${transactions.join('.')}:${stored}`
}
