// What a real server sends of every type in text and in binary: a table for each, some rows and changes of rows, read back
// from a slot as pgoutput messages. Recorded anew in every run.
import type pg from 'pg'
import type { PgType } from '../../../internal/model/pg-type.js'
import { TypeCatalog } from '../../../internal/replication/type-catalog.js'
import { readRowMessage } from '../../support/row-message.js'
import { byteSamples, byteSetup, type ByteSamples } from './byte-samples.js'

/** `v` is of the type, with a column before and one behind it. */
export const COLUMNS = ['id', 'v', 'last'] as const
const ROWS_EACH = 7
const MOST_BYTES = 4_000

export type Form = 'text' | 'binary'

export interface Sent {
  readonly sample: ByteSamples
  readonly form: Form
  readonly relation: Buffer
  readonly row: Buffer
}

export interface Corpus {
  readonly sent: readonly Sent[]
  /** Of the types of all columns. */
  readonly types: (oids: readonly number[]) => readonly PgType[]
  /** Type and modifier of each sample's column. */
  readonly columns: ReadonlyMap<ByteSamples, { readonly type: PgType; readonly typmod: number }>
}

export async function recordCorpus(client: pg.Client): Promise<Corpus> {
  for (const statement of byteSetup) await client.query(statement)
  const slot = `corpus_${process.pid}`
  for (const [k, { type }] of byteSamples.entries())
    await client.query(
      `CREATE TABLE s_${k} (id int PRIMARY KEY, v ${type}, last text); ALTER TABLE s_${k} REPLICA IDENTITY FULL`,
    )
  await client.query('CREATE PUBLICATION corpus FOR ALL TABLES')
  await client.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slot])
  try {
    for (const [k, sample] of byteSamples.entries()) await fill(client, `s_${k}`, sample)
    const sent = [...(await read(client, slot, 'text')), ...(await read(client, slot, 'binary'))]
    return { sent, ...(await describe(client)) }
  } finally {
    await client.query('SELECT pg_drop_replication_slot($1)', [slot])
  }
}

async function fill(client: pg.Client, table: string, { type, values }: ByteSamples): Promise<void> {
  const short = values.filter((value) => value.length < MOST_BYTES)
  // From all over the list: what is at the edges stands in front, what is random behind.
  const chosen = Array.from({ length: ROWS_EACH }, (_, k) => short[Math.floor((k * short.length) / ROWS_EACH)])
  await client.query(
    `INSERT INTO ${table} SELECT n, text::${type}, 'last ' || n FROM unnest($1::text[]) WITH ORDINALITY AS u (text, n)`,
    [chosen],
  )
  await client.query(`UPDATE ${table} SET last = 'changed' WHERE id < 3; DELETE FROM ${table} WHERE id = 1`)
}

/** Servers before 14 know no binary form. */
async function read(client: pg.Client, slot: string, form: Form): Promise<Sent[]> {
  const { rows } = await client
    .query<{ data: Buffer }>(
      `SELECT data FROM pg_logical_slot_peek_binary_changes($1, NULL, NULL, 'proto_version', '1', 'publication_names', 'corpus'
         ${form === 'binary' ? `, 'binary', 'true'` : ''})`,
      [slot],
    )
    .catch((error: unknown) => {
      if (form === 'binary' && String(error).includes('unrecognized pgoutput option')) return { rows: [] }
      throw error
    })
  const relations = new Map<number, Buffer>()
  const sent: Sent[] = []
  for (const { data } of rows) {
    const tag = data.toString('latin1', 0, 1)
    if (tag === 'R') relations.set(data.readUInt32BE(1), data)
    const row = readRowMessage(data, COLUMNS.length)
    if (row === undefined) continue
    const relation = relations.get(row.oid)!
    const [, name] = relation.toString('utf8', 5).split('\0')
    const sample = byteSamples[Number(name!.slice(2))]!
    if (data.length < 3 * MOST_BYTES) sent.push({ sample, form, relation, row: data })
  }
  return sent
}

async function describe(client: pg.Client): Promise<Pick<Corpus, 'types' | 'columns'>> {
  const { rows } = await client.query<{ name: string; oid: number; typmod: number }>(
    `SELECT attrelid::regclass::text AS name, atttypid::int8::float8 AS oid, atttypmod AS typmod
       FROM pg_attribute WHERE attrelid::regclass::text ~ '^s_[0-9]+$' AND attname = 'v'`,
  )
  const catalog = new TypeCatalog(client)
  const types = await catalog.resolve(rows.map(({ oid }) => oid))
  await catalog.resolve([23, 25])
  const columns = new Map(
    rows.map(({ name, typmod }, k) => [byteSamples[Number(name.slice(2))]!, { type: types[k]!, typmod }]),
  )
  return { columns, types: (oids) => catalog.known(oids)! }
}
