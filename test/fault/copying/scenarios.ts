// What is explored: each scenario is small enough to be explored whole, and together they put every part of the protocol under
// every change of the table and every fault.
import type { Change, TableScript } from './source.js'
import type { Scenario } from './world.js'

const table = (hasKey: boolean, rows: TableScript['rows'], ...transactions: Change[][]): TableScript => ({
  ...{ hasKey, rows },
  transactions: transactions.map((changes) => ({ changes })),
})
const TWO = { 1: 0, 2: 1 }
const keyed = (...transactions: Change[][]): TableScript => table(true, TWO, ...transactions)
const keyless = (...transactions: Change[][]): TableScript => table(false, TWO, ...transactions)

const dying = { deaths: 1, links: 0, cuts: 0 }
const unlinked = { deaths: 0, links: 1, cuts: 0 }
const cutOff = { deaths: 0, links: 0, cuts: 1 }

const moves: Change = { do: 'update', key: 2, page: 0 }
const inserts: Change = { do: 'insert', key: 3, page: 0 }
const rewrites: Change = { do: 'rewrite', pages: { 1: 1, 2: 0 } }

export const scenarios = {
  'updates in place': {
    ...keyed([
      { do: 'update', key: 1 },
      { do: 'update', key: 2, value: true },
    ]),
    ...unlinked,
  },
  'a row moves to an earlier page': { ...keyed([moves], [{ do: 'update', key: 2 }]), ...dying },
  'a row moves to a later page': { ...table(true, { 1: 0 }, [{ do: 'update', key: 1, page: 1 }]), ...dying },
  'a row moves, and a link breaks': { ...keyed([moves]), ...unlinked },
  'a row moves, and two die': { ...table(true, { 2: 1 }, [moves]), ...dying, deaths: 2 },
  'a key changes': { ...keyed([{ do: 'rekey', key: 2, to: 3, page: 0 }], [{ do: 'update', key: 3 }]), ...dying },
  'deleted and inserted again': {
    ...keyed([{ do: 'delete', key: 2 }], [{ do: 'insert', key: 2, page: 0 }]),
    ...dying,
  },
  truncated: { ...keyed([{ do: 'truncate' }], [inserts]), ...dying },
  rewritten: { ...keyed([rewrites]), ...dying },
  'a transaction that runs on': {
    ...{ hasKey: true, rows: TWO, ...dying },
    transactions: [
      { xid: 2, changes: [{ do: 'update', key: 1 }] },
      { xid: 1, changes: [moves] },
    ],
  },
  'one is cut off': { ...table(true, { 1: 0 }, [{ do: 'update', key: 1 }]), ...cutOff },
  'without a key': { ...keyless([inserts], [{ do: 'insert', key: 4, page: 1 }]), ...dying },
  'without a key, and a link breaks': { ...keyless([inserts]), ...unlinked },
  'without a key, truncated': { ...keyless([inserts], [{ do: 'truncate' }]), ...dying },
  'without a key, rewritten': {
    ...keyless([inserts], [{ do: 'rewrite', pages: { 1: 1, 2: 0, 3: 0 } }]),
    ...dying,
  },
  'without a key, one is cut off': { ...table(false, { 1: 0 }, [{ do: 'insert', key: 3, page: 1 }]), ...cutOff },
  'another table had the name': { ...keyed([moves]), ...dying, replaced: true },
  'another table had the name, and a link breaks': { ...keyed([moves]), ...unlinked, replaced: true },
  'another table had the name, and neither has a key': { ...keyless([inserts]), ...dying, replaced: true },
  'asked for again': { ...keyed([moves]), ...dying, asked: 'whole' },
  'asked for again, without a key': { ...keyless([inserts]), ...unlinked, asked: 'whole' },
  'chosen rows': { ...keyed([moves], [{ do: 'update', key: 2 }]), ...dying, asked: [2] },
  'chosen rows that are deleted and inserted again': {
    ...keyed([{ do: 'delete', key: 2 }], [{ do: 'insert', key: 2, page: 0 }]),
    ...{ ...unlinked, asked: [2] },
  },
} as const satisfies Record<string, Scenario>

export type ScenarioName = keyof typeof scenarios
