// What is left to copy of a table, by what the log says and what the server has now.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { piecesLeft, type TableFacts } from '../../../internal/pipeline/copying/table-pieces.js'
import type { CopySource } from '../../../internal/replication/copy-source.js'
import { CopyTotals } from '../../../internal/storage/copy-totals.js'
import { copiedPiece, copiedTable } from '../../support/copied-piece.js'

const source: CopySource = { oid: 7, name: 'public.t', fileNode: 70, attributes: 2, hasToast: false, isHeap: true }
const table = copiedTable

function facts(changed: Partial<TableFacts> & { sources?: readonly CopySource[] } = {}): TableFacts {
  const { sources = [source], ...others } = changed
  const relation = { oid: 7, schema: 'public', name: 't', replicaIdentity: 'd', columns: [] } as const
  return {
    table: { relation, hasKey: true, filter: undefined, sources, columnNumbers: [] },
    ...{ pages: [10], schemaVersion: 1, done: [], readsRanges: true, pagesAPiece: 4, ...others },
  }
}

const piece = copiedPiece

const ranges = (given: TableFacts) =>
  piecesLeft(given).map(({ fromPage, toPage, sinceXid }) => [
    fromPage,
    toPage,
    ...(sinceXid === undefined ? [] : [sinceXid]),
  ])

test('a table is read in ranges of pages, and one that cannot be read so in one', () => {
  assert.deepEqual(ranges(facts()), [
    [0, 4],
    [4, 8],
    [8, 10],
  ])
  assert.deepEqual(ranges(facts({ pages: [0] })), [])
  assert.deepEqual(ranges(facts({ readsRanges: false })), [[0, undefined]])
  assert.deepEqual(ranges(facts({ sources: [{ ...source, isHeap: false }] })), [[0, undefined]])
})

test('G4: what is copied is not read again, unless it lies elsewhere or looks otherwise now', () => {
  const done = [piece(0, 4), piece(8, 9)]
  const rest = [
    [4, 8],
    [9, 10],
  ]
  assert.deepEqual(ranges(facts({ done })), rest)
  for (const changed of [{ fileNode: 71 }, { attributes: 3 }, { schemaVersion: 2 }, { sourceOid: 8 }])
    assert.deepEqual(ranges(facts({ done: done.map((old) => ({ ...old, ...changed })) })), ranges(facts()))
})

test('G7: where values may be left out of an update, rows that came later are looked for in what was read', () => {
  assert.deepEqual(
    ranges(facts({ done: [piece(0, 4), piece(4, 5, { xmin: 600n })], sources: [{ ...source, hasToast: true }] })),
    [
      [0, 4, 500n],
      [4, 5, 600n],
      [5, 9],
      [9, 10],
    ],
  )
})

test('G4: no two pieces of a table under a snapshot can have rows with the same number', () => {
  const sources = [source, { ...source, oid: 8, isHeap: false }, { ...source, oid: 9, hasToast: true }]
  const pieces = piecesLeft(facts({ sources, pages: [1000, 5, 7], done: [piece(0, 3, { sourceOid: 9 })] }))
  const ordered = [...pieces].sort((a, b) => a.seqFrom - b.seqFrom)
  ordered.forEach((each, k) => {
    const next = ordered[k + 1]?.seqFrom ?? Number.MAX_SAFE_INTEGER
    // A page of 32 KiB holds fewer rows than this, however small they are.
    const rows = each.toPage === undefined ? 2 ** 40 : (each.toPage - each.fromPage) * 1170
    assert.ok(each.seqFrom + rows <= next)
  })
})

test('however the pages of a table are copied, nothing is left and nothing is forgotten', () => {
  const pages = 40
  const step = fc.tuple(fc.nat(pages - 1), fc.integer({ min: 1, max: pages }))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const totals = new CopyTotals()
      const read = new Set<number>()
      steps.forEach(([from, length], k) => {
        const to = Math.min(pages, from + length)
        totals.add({ pieces: [piece(from, to, { lsn: BigInt(100 + k) })], finished: [] })
        for (let page = from; page < to; page++) read.add(page)
      })
      const known = totals.piecesOf(table)
      known.forEach((each, k) => {
        assert.ok(
          each.fromPage < each.toPage && each.fromPage >= (known[k - 1]?.toPage ?? 0),
          'in order, none overlaps',
        )
      })
      const again = new CopyTotals()
      again.add(totals.progress)
      assert.deepEqual(again.progress, totals.progress)
      const left = piecesLeft(facts({ pages: [pages], done: known })).flatMap(({ fromPage, toPage }) =>
        Array.from({ length: toPage! - fromPage }, (_, k) => fromPage + k),
      )
      assert.deepEqual(
        left,
        Array.from({ length: pages }, (_, page) => page).filter((page) => !read.has(page)),
      )
    }),
  )
})
