// Tables that are written to while their rows are copied, and whether the lake has come to them: with a key and values outside of
// the row, without a key and only added to, without a key and changed under REPLICA IDENTITY FULL.
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { byPosition, type Row } from './current-state.js'
import type { Lake } from './lake.js'
import type { Source } from './rig.js'

export interface CopiedTables {
  /** Statements that were carried out. */
  readonly written: number
  /** Fails where the lake's state is not the table. Gives the rows that were compared. */
  assertInLake(lake: Lake): Promise<number>
  /** No further statement. */
  stopWriting(): Promise<void>
}

/** Any integer from 0 up to `below`; the same again for the same seed. */
function dice(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const MOVED = 1_000_000

/** Makes them with so many rows each, publishes them, and writes to them from now on, a statement every `everyMs`. */
export async function writeCopiedTables(
  source: Source,
  { rows, everyMs, seed }: { rows: number; everyMs: number; seed: number },
): Promise<CopiedTables> {
  await source.query(`
    CREATE TABLE keyed (id bigint PRIMARY KEY, note text, big text, n int);
    ALTER TABLE keyed ALTER big SET STORAGE EXTERNAL;
    INSERT INTO keyed SELECT k, 'note ' || k, CASE k % 3 WHEN 0 THEN repeat(md5(k::text), 80) WHEN 1 THEN 'small' END, k
      FROM generate_series(1, ${rows}) k;
    CREATE TABLE added (n int, note text);
    INSERT INTO added SELECT k % 1000, 'note ' || k % 10 FROM generate_series(1, ${rows}) k;
    CREATE TABLE changed (n int, note text);
    ALTER TABLE changed REPLICA IDENTITY FULL;
    INSERT INTO changed SELECT k, 'note ' || k % 10 FROM generate_series(1, ${rows}) k;
    CREATE PUBLICATION wal_cake_pub FOR TABLE keyed, added, changed, marks`)
  const next = dice(seed)
  const client = new pg.Client({ connectionString: source.url })
  await client.connect()
  const stop = new AbortController()
  let written = 0
  const statement = (): string => {
    const id = 1 + next(rows)
    switch (next(10)) {
      case 0:
        return `INSERT INTO keyed VALUES (${10 * MOVED + written}, 'new', repeat('x', ${next(5000)}), ${id})`
      case 1:
        return `DELETE FROM keyed WHERE id = ${id}`
      case 2:
        return `UPDATE keyed SET id = id + ${MOVED} WHERE id = ${id}`
      case 3:
        return `UPDATE keyed SET id = id - ${MOVED}, note = 'back' WHERE id = ${id + MOVED}`
      case 4:
        return `UPDATE keyed SET note = 'changed ' || n, n = n + 1 WHERE id BETWEEN ${id} AND ${id + 20}`
      case 5:
        return `UPDATE keyed SET big = repeat(md5('${id}'), ${next(100)}) WHERE id = ${id}`
      case 6:
        return `INSERT INTO added SELECT ${id}, 'new' FROM generate_series(1, 3)`
      case 7:
        return `UPDATE changed SET note = 'changed', n = n + 1 WHERE n BETWEEN ${id} AND ${id + 3}`
      case 8:
        return `DELETE FROM changed WHERE n = ${id}`
      default:
        // Room is made in the pages before, and rows come to lie there.
        return next(10) === 0 ? 'VACUUM keyed' : `INSERT INTO changed VALUES (${id}, 'new')`
    }
  }
  const writing = (async () => {
    while (!stop.signal.aborted) {
      await client.query(statement())
      written++
      await delay(everyMs)
    }
  })()
  writing.catch(() => undefined) // told by stopWriting()
  return {
    get written() {
      return written
    },
    async stopWriting() {
      stop.abort()
      await writing.finally(() => client.end())
    },
    async assertInLake(lake) {
      const keyed = await lake.currentState('public.keyed', ['id'])
      return (
        (await assertSame(source, 'keyed', ['id', 'note', 'big', 'n'], keyed)) +
        (await assertSame(source, 'added', ['n', 'note'], replayed(await lake.rows('public.added')))) +
        (await assertSame(source, 'changed', ['n', 'note'], replayed(await lake.rows('public.changed'))))
      )
    },
  }
}

/** Of a table without a key whose changes tell the whole old row: every row as often as it is there since the last T. */
function replayed(log: readonly Row[]): Row[] {
  const ordered = [...log].sort(byPosition)
  const rows = new Map<string, Row[]>()
  const keyOf = ({ n, note }: Row): string => JSON.stringify([String(n), note])
  const take = (row: Row): void => assert.ok(rows.get(keyOf(row))?.pop(), `${keyOf(row)} ends and was not there`)
  for (const row of ordered.slice(ordered.findLastIndex(({ _op }) => _op === 'T') + 1)) {
    if (row._op === 'D') take(row)
    if (row._op === 'U') take(JSON.parse(row._before as string) as Row)
    if (row._op === 'D') continue
    rows.set(keyOf(row), [...(rows.get(keyOf(row)) ?? []), row])
  }
  return [...rows.values()].flat()
}

async function assertSame(
  source: Source,
  table: string,
  columns: readonly string[],
  lake: readonly Row[],
): Promise<number> {
  const text = (row: Row): string =>
    JSON.stringify(
      columns.map((column) => (row[column] === null ? null : String(row[column] as string | number | bigint))),
    )
  const wanted = (await source.query<Record<string, unknown>>(`SELECT * FROM ${table}`)).map(text).sort()
  const found = lake.map(text).sort()
  const counts = new Map<string, number>()
  for (const row of found) counts.set(row, (counts.get(row) ?? 0) + 1)
  for (const row of wanted) counts.set(row, (counts.get(row) ?? 0) - 1)
  const differing = [...counts].filter(([, count]) => count !== 0).map(([row, count]) => [row.slice(0, 200), count])
  assert.deepEqual(differing.slice(0, 5), [], `${table}: rows that the lake has too often (+) or not (−)`)
  return wanted.length
}
