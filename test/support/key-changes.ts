// Changes at random to tables whose large values are not sent again and whose keys change, under every replica identity: for the
// tests of what tells a current state.
import fc from 'fast-check'

const identities = ['DEFAULT', 'FULL', 'USING INDEX', 'NOTHING'] as const
const SEQUENCES = 12

const key = fc.integer({ min: 1, max: 4 })
/** Long enough to be kept outside of the row, or not; or none. */
const big = fc.oneof(
  { weight: 4, arbitrary: fc.nat().map((n) => `repeat(md5('${n}'), 90)`) },
  { weight: 1, arbitrary: fc.constantFrom('NULL', `''`, `'short'`) },
)
const note = fc.nat({ max: 99 }).map((n) => (n % 9 === 0 ? 'NULL' : `'${n}'`))

const inserts = fc
  .tuple(key, note, big)
  .map(([id, n, b]) => `INSERT INTO t VALUES (${id}, ${n}, ${b}) ON CONFLICT DO NOTHING`)
const truncates = fc.constant('TRUNCATE t')
const moved = (id: number, to: number): string => `id = ${id} AND NOT EXISTS (SELECT FROM t WHERE id = ${to})`
const others = fc.oneof(
  fc.tuple(key, note).map(([id, n]) => `UPDATE t SET note = ${n} WHERE id = ${id}`),
  note.map((n) => `UPDATE t SET note = ${n}`),
  fc.tuple(key, big).map(([id, b]) => `UPDATE t SET big = ${b} WHERE id = ${id}`),
  fc.tuple(key, key).map(([id, to]) => `UPDATE t SET id = ${to} WHERE ${moved(id, to)}`),
  fc.tuple(key, key, note).map(([id, to, n]) => `UPDATE t SET id = ${to}, note = ${n} WHERE ${moved(id, to)}`),
  fc.tuple(key, key, big).map(([id, to, b]) => `UPDATE t SET id = ${to}, big = ${b} WHERE ${moved(id, to)}`),
  key.map((id) => `DELETE FROM t WHERE id = ${id}`),
)
const switches = fc.constantFrom('FULL', 'DEFAULT').map((to) => `ALTER TABLE t REPLICA IDENTITY ${to}`)

function statementsOf(identity: (typeof identities)[number]): fc.Arbitrary<string> {
  const weighted = [
    { weight: 6, arbitrary: inserts },
    { weight: 1, arbitrary: truncates },
  ]
  if (identity !== 'NOTHING') weighted.push({ weight: 20, arbitrary: others })
  if (identity === 'DEFAULT' || identity === 'FULL') weighted.push({ weight: 1, arbitrary: switches })
  return fc.oneof(...weighted)
}

export interface Sequence {
  readonly table: string
  readonly identity: (typeof identities)[number]
  /** Transactions of statements. */
  readonly work: readonly (readonly string[])[]
}

/** Others each time; a failure names its statements. */
export function sequences(): Sequence[] {
  return identities.flatMap((identity, i) => {
    const transaction = fc.array(statementsOf(identity), { minLength: 1, maxLength: 8 })
    const works = fc.sample(fc.array(transaction, { minLength: 6, maxLength: 12 }), SEQUENCES)
    return works.map((work, k) => ({ table: `t${i}_${k}`, identity, work }))
  })
}

/** Makes its table. */
export function makingOf({ table, identity }: Sequence): string {
  return `
    CREATE TABLE ${table} (id bigint NOT NULL, note text, big text);
    CREATE UNIQUE INDEX ${table}_id ON ${table} (id);
    ${identity === 'DEFAULT' || identity === 'FULL' ? `ALTER TABLE ${table} ADD PRIMARY KEY USING INDEX ${table}_id;` : ''}
    ALTER TABLE ${table} ALTER big SET STORAGE EXTERNAL,
      REPLICA IDENTITY ${identity === 'USING INDEX' ? `USING INDEX ${table}_id` : identity}`
}

export function transactionsOf({ table, work }: Sequence): string[] {
  return work.map((transaction) => `BEGIN; ${transaction.join('; ').replaceAll(/\bt\b/g, table)}; COMMIT`)
}
