// What a run of the state machine is made of, as plain data out of a seed: transactions of several writers, and faults. No
// step needs another one to have come before, so any part of a run is a run.
import fc from 'fast-check'

export const OPERATIONS = [
  'insert',
  'copy',
  'bulk',
  'update',
  'updateNothing',
  'updateLarge',
  'rekey',
  'rekeyLarge',
  'delete',
  'truncate',
  'truncateTwo',
  'fill',
  'addColumn',
  'addDefault',
  'dropColumn',
  'renameColumn',
  'createTable',
  'dropTable',
  'identity',
  'message',
] as const
export type Operation = (typeof OPERATIONS)[number]

export interface Statement {
  readonly op: Operation
  /** Chooses the table out of those there are. */
  readonly table: number
  readonly rows: number
  /** Whatever else there is to choose. */
  readonly n: number
  /** Whether it stands in a savepoint, and what becomes of that. */
  readonly savepoint: 'none' | 'released' | 'undone'
}

export type TransactionEnd = 'commit' | 'rollback' | 'prepared' | 'preparedRollback'

export const FAULTS = [
  'kill',
  'killTwice',
  'dieAt',
  'sleepAt',
  'term',
  'deploy',
  'deployKilled',
  'overtake',
  'pause',
  'endWalsender',
  'endControl',
  'endBoth',
  'restartFast',
  'restartImmediate',
  'serverAway',
  'linkCut',
  'linkDark',
  'linkSwallows',
  'linkSlow',
  'storeCut',
  'storeDark',
  'storeSwallows',
  'storeSlow',
  'storeErrors',
  'storeHangs',
] as const
export type FaultKind = (typeof FAULTS)[number]

export type Step =
  | {
      readonly do: 'write'
      readonly writer: number
      readonly statements: readonly Statement[]
      readonly end: TransactionEnd
    }
  | { readonly do: 'fault'; readonly kind: FaultKind; readonly ms: number; readonly n: number }
  /** Lets that much time pass: at which moment a fault comes is what is tried. */
  | { readonly do: 'moment'; readonly ms: number }
  /** Every writer has written, and all of it is in the lake. */
  | { readonly do: 'catchUp' }
  /** The server writes a checkpoint, or begins a new WAL file. */
  | { readonly do: 'checkpoint' | 'switchWal' }

export const STORES = ['own', 'bucket', 'folder'] as const
/** `own`: the suite's S3 server, with faults; `bucket`: a real store; `folder`: LAKE_DIR. */
export type StoreKind = (typeof STORES)[number]

export interface Sequence {
  readonly store: StoreKind
  /** Number of the first settings; each restart has others. */
  readonly settings: number
  readonly steps: readonly Step[]
}

export interface Size {
  readonly steps: number
  readonly maxRows: number
  readonly bulkRows: number
  readonly maxFaultMs: number
  /** Faults that the program only gets over after a timeout of its own. */
  readonly slowFaults: boolean
}

export const SIZES = {
  short: { steps: 50, maxRows: 200, bulkRows: 7_000, maxFaultMs: 900, slowFaults: false },
  long: { steps: 80, maxRows: 300, bulkRows: 20_000, maxFaultMs: 4_000, slowFaults: true },
} as const satisfies Record<string, Size>
export type SizeName = keyof typeof SIZES

const WRITERS = 3
const rare = new Set<Operation>(['bulk', 'truncate', 'truncateTwo', 'dropTable', 'identity', 'copy', 'dropColumn'])
const slow = new Set<FaultKind>(['storeHangs'])

/** The same for the same seed, always. */
export function sequenceOf(seed: number, size: SizeName): Sequence {
  const store = STORES[seed % STORES.length]!
  const [made] = fc.sample(sequences(SIZES[size], store), { seed, numRuns: 1 })
  return { store, ...made! }
}

function sequences(size: Size, store: StoreKind): fc.Arbitrary<Omit<Sequence, 'store'>> {
  const { steps: length } = size
  return fc.record({
    settings: fc.nat(999),
    steps: fc.array(group(size, store), { minLength: length, maxLength: length }).map((groups) => groups.flat()),
  })
}

function group(size: Size, store: StoreKind): fc.Arbitrary<readonly Step[]> {
  const kinds = FAULTS.filter((kind) => (size.slowFaults || !slow.has(kind)) && canHappen(kind, store))
  return fc.oneof(
    { weight: 20, arbitrary: fc.tuple(write(size)) },
    { weight: 8, arbitrary: fc.tuple(fault(size, fc.constantFrom(...kinds))) },
    // A process that breaks somewhere in a batch of several files: what replays are made of.
    { weight: 4, arbitrary: fc.tuple(load(size), fault(size, fc.constantFrom('dieAt', 'dieAt', 'sleepAt'))) },
    { weight: 5, arbitrary: fc.tuple(moment) },
    { weight: 1, arbitrary: fc.tuple(fc.record({ do: fc.constantFrom('catchUp' as const) })) },
    { weight: 1, arbitrary: fc.tuple(fc.record({ do: fc.constantFrom('checkpoint' as const, 'switchWal' as const) })) },
  )
}

const moment = fc.record({ do: fc.constant('moment' as const), ms: fc.integer({ min: 1, max: 400 }) })

function fault(size: Size, kind: fc.Arbitrary<FaultKind>): fc.Arbitrary<Step> {
  const ms = fc.integer({ min: 20, max: size.maxFaultMs })
  return fc.record({ do: fc.constant('fault' as const), kind, ms, n: fc.nat(999) })
}

function canHappen(kind: FaultKind, store: StoreKind): boolean {
  if (kind === 'storeErrors' || kind === 'storeHangs') return store === 'own'
  return store !== 'folder' || !kind.startsWith('store')
}

function write(size: Size): fc.Arbitrary<Step> {
  const ends: fc.Arbitrary<TransactionEnd> = fc.oneof(
    { weight: 12, arbitrary: fc.constant('commit' as const) },
    { weight: 2, arbitrary: fc.constant('rollback' as const) },
    { weight: 1, arbitrary: fc.constantFrom('prepared' as const, 'preparedRollback' as const) },
  )
  return fc.record({
    do: fc.constant('write' as const),
    writer: fc.nat(WRITERS - 1),
    statements: fc.array(statement(size), { minLength: 1, maxLength: 6 }),
    end: ends,
  })
}

/** Rows of several tables, committed. */
function load({ maxRows }: Size): fc.Arbitrary<Step> {
  const insert = fc.record({
    op: fc.constant('insert' as const),
    table: fc.nat(999),
    rows: fc.constant(maxRows),
    n: fc.nat(999_999),
    savepoint: fc.constant('none' as const),
  })
  return fc.record({
    do: fc.constant('write' as const),
    writer: fc.nat(WRITERS - 1),
    statements: fc.array(insert, { minLength: 2, maxLength: 4 }),
    end: fc.constant('commit' as const),
  })
}

function statement(size: Size): fc.Arbitrary<Statement> {
  return fc.record({
    op: fc.oneof(
      ...OPERATIONS.map((op) => ({ weight: op === 'insert' ? 12 : rare.has(op) ? 1 : 3, arbitrary: fc.constant(op) })),
    ),
    table: fc.nat(999),
    rows: fc.integer({ min: 1, max: size.maxRows }),
    n: fc.nat(999_999),
    savepoint: fc.oneof(
      { weight: 8, arbitrary: fc.constant('none' as const) },
      { weight: 1, arbitrary: fc.constantFrom('released' as const, 'undone' as const) },
    ),
  })
}
