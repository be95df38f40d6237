// The protocol with one rule broken each, and what must come of it: so many proofs that the model would see a fault, and that the
// rule is needed.
import type { ViolationKind } from './checks.js'
import { rulesOfProduct, type Rules } from './rules.js'
import type { ScenarioName } from './scenarios.js'

export interface Variant {
  readonly name: string
  readonly broken: Partial<Rules>
  readonly scenario: ScenarioName
  readonly violates: ViolationKind
}

const { piecesLeft, finishCopy, wayOfCopy } = rulesOfProduct

export const variants: readonly Variant[] = [
  {
    name: 'rows that have moved to pages already read are not read again',
    broken: {
      piecesLeft: ({ table, ...facts }) => {
        const sources = table.sources.map((source) => ({ ...source, hasToast: false }))
        return piecesLeft({ ...facts, table: { ...table, sources } })
      },
    },
    scenario: 'a row moves to an earlier page',
    violates: 'G7: a large value is lost',
  },
  {
    name: 'rows are read again from the next transaction on, whatever runs',
    broken: { xminOf: (source, seen) => source.nextXid(seen) },
    scenario: 'a transaction that runs on',
    violates: 'G7: a large value is lost',
  },
  {
    name: 'a table is read on although it was changed',
    broken: { isSame: () => true },
    scenario: 'rewritten',
    violates: 'G4: the lake is not the table',
  },
  {
    name: 'pieces of storage that is gone count',
    broken: {
      piecesLeft: (facts) => {
        const { fileNode } = facts.table.sources[0]!
        return piecesLeft({ ...facts, done: facts.done.map((piece) => ({ ...piece, fileNode })) })
      },
    },
    scenario: 'rewritten',
    violates: 'G4: the lake is not the table',
  },
  {
    name: 'pieces are numbered from 0 each',
    broken: { piecesLeft: (facts) => piecesLeft(facts).map((piece) => ({ ...piece, seqFrom: 0 })) },
    scenario: 'updates in place',
    violates: 'G4: a row is in two files',
  },
  {
    name: 'copied rows have the position itself',
    broken: { lsnOfRows: (consistentPoint) => consistentPoint },
    scenario: 'updates in place',
    violates: 'G4: a row is in two files',
  },
  {
    name: 'a table without a key is copied piece by piece',
    broken: { wayOfCopy: (facts) => ({ ...wayOfCopy(facts), whole: false }) },
    scenario: 'without a key',
    violates: 'G4: the lake is not the table',
  },
  {
    name: 'no T comes before the rows of a table without a key',
    broken: { wayOfCopy: (facts) => ({ ...wayOfCopy(facts), supersedes: false }) },
    scenario: 'without a key',
    violates: 'G4: the lake is not the table',
  },
  {
    name: 'the T becomes visible first',
    broken: {
      finishCopy: (store, limit, { files, ...rest }) => {
        const turned = files.map((file) => ({ ...file, supersedes: !file.supersedes }))
        return finishCopy(store, limit, { ...rest, files: turned })
      },
    },
    scenario: 'without a key',
    violates: 'G4: what was there is superseded, and its rows are not there',
  },
  {
    name: 'a table is laid out before the stream has passed the snapshot',
    broken: { copyAwaitsStream: false },
    scenario: 'without a key',
    violates: 'G4: the lake is not the table',
  },
  {
    name: 'pieces count before their commit',
    broken: { countingAwaitsCommit: false },
    scenario: 'a row moves to an earlier page',
    violates: 'G7: a large value is lost',
  },
  {
    name: 'a plan that stands is not finished, and its rows are copied again',
    broken: { standing: () => ({ files: [], pieces: [], finished: [] }) },
    scenario: 'without a key',
    violates: 'G4: a commit without its files',
  },
  {
    name: 'what earlier runs have staged is given up at the start',
    broken: { givingUpAwaitsPlan: false },
    scenario: 'one is cut off',
    violates: 'G5: a planned file is given up',
  },
  {
    name: 'what other runs have staged is given up, also by one that was cut off',
    broken: { isLeftOver: (file, ours) => file.run !== ours.run },
    scenario: 'one is cut off',
    violates: 'G5: a planned file is given up',
  },
  {
    name: 'what another table of the name has left goes with the first piece, and the others may come before it',
    broken: {
      wayOfCopy: ({ earlierOids, relationOid }) => ({
        ...{ whole: false, supersedes: earlierOids.some((oid) => oid !== relationOid) },
      }),
    },
    scenario: 'another table had the name',
    violates: 'G4: the lake is not the table',
  },
  {
    name: 'a table that is asked for is copied piece by piece',
    broken: { wayOfCopy: (facts) => wayOfCopy({ ...facts, replaces: false }) },
    scenario: 'asked for again',
    violates: 'G4: the lake is not the table',
  },
  {
    name: 'chosen rows take the place of the table',
    broken: { wayOfCopy: (facts) => wayOfCopy({ ...facts, chosenRows: false }) },
    scenario: 'chosen rows',
    violates: 'G4: the lake is not the table',
  },
  {
    name: 'rows are copied that the stream has superseded',
    broken: { isSuperseded: () => false },
    scenario: 'another table had the name',
    violates: 'G4: the lake is not the table',
  },
]
