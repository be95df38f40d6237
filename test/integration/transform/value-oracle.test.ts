// Every type against a real server: what it prints, what it sends in binary and what it computes from a value must agree
// with what the codecs print and store (G8: nothing is rounded, clamped or dropped).
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { TypeCatalog } from '../../../internal/replication/type-catalog.js'
import { codecOf, type ValueCodec } from '../../../internal/transform/values/value-codec.js'
import { store, type Stored } from '../../unit/transform/values/stored-column.js'
import type { TypeSamples } from './type-samples.js'
import { samples, setup } from './value-samples.js'

const url = process.env.TEST_PG_URL
const database = `wal_cake_values_${randomBytes(4).toString('hex')}`

/** The settings that the product pins on its own connections. */
const SESSION = `
  SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 3; SET bytea_output = 'hex';
  SET TimeZone = 'UTC'; SET lc_monetary = 'C'; SET client_encoding = 'UTF8'`

interface Answer {
  /** Text output, binary output in hex, what should be stored, must it be refused. */
  v: string
  binary: string
  stored: string
  refused: string
}

function connect(name: string): pg.Client {
  assert.ok(url, 'TEST_PG_URL names the server to test against')
  const target = new URL(url)
  target.pathname = `/${name}`
  return new pg.Client({ connectionString: target.href })
}

async function administer(sql: string): Promise<void> {
  const admin = connect(new URL(url ?? '').pathname.slice(1) || 'postgres')
  await admin.connect()
  await admin.query(sql).finally(() => admin.end())
}

describe('values, compared with a server', () => {
  let client: pg.Client

  before(async () => {
    await administer(`CREATE DATABASE ${database} ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`)
    client = connect(database)
    await client.connect()
    await client.query(SESSION)
    for (const statement of setup) await client.query(statement)
  })

  after(async () => {
    await client.end()
    await administer(`DROP DATABASE ${database}`)
  })

  samples.forEach((sample, index) => {
    test(sample.type, async () => {
      const table = `samples_${index}`
      await client.query(`CREATE TABLE ${table} (place serial, v ${sample.type})`)
      await client.query(`INSERT INTO ${table} (v) SELECT text::${sample.type} FROM unnest($1::text[]) AS text`, [
        sample.values,
      ])
      if (sample.query !== undefined) await client.query(`INSERT INTO ${table} (v) ${sample.query}`)
      const { codec, send } = await codecOfColumn(client, table)
      const answers = await ask(client, table, sample, send)
      assert.ok(answers.length >= 1)
      compare(codec, sample, answers)
    })
  })
})

async function codecOfColumn(client: pg.Client, table: string): Promise<{ codec: ValueCodec; send: string }> {
  const { rows } = await client.query<{ oid: number; typmod: number; send: string }>(
    `SELECT atttypid::oid AS oid, atttypmod AS typmod, typsend::regproc AS send
       FROM pg_attribute JOIN pg_type t ON t.oid = atttypid WHERE attrelid = $1::regclass AND attname = 'v'`,
    [table],
  )
  const { oid, typmod, send } = rows[0]!
  const [type] = await new TypeCatalog(client).resolve([oid])
  return { codec: codecOf(type!, typmod, 'string'), send }
}

async function ask(client: pg.Client, table: string, sample: TypeSamples, send: string): Promise<Answer[]> {
  const binary = send === '-' ? `''` : `encode(${send}(v), 'hex')`
  const refused = sample.refused ?? 'false'
  const { rows } = await client.query<Answer>({
    // All values stay the text that the server sent.
    types: { getTypeParser: () => (text: string) => text },
    text: `SELECT v, ${binary} AS binary, coalesce(${refused}, false) AS refused,
            CASE WHEN coalesce(${refused}, false) THEN NULL ELSE ${sample.stored ?? 'NULL'} END AS stored
       FROM ${table} ORDER BY place`,
  })
  return rows
}

function compare(codec: ValueCodec, sample: TypeSamples, answers: readonly Answer[]): void {
  const texts = answers.map((answer) => Buffer.from(answer.v))
  const text = store(codec, 'putText', texts)
  answers.forEach((answer, row) => {
    assert.equal(text.refused[row], answer.refused === 't', `refused in text: ${answer.v}`)
    if (!text.refused[row]) assert.deepEqual(text.rows[row], expected(codec, sample, answer), `stored: ${answer.v}`)
  })
  const { textOfBinary } = codec
  assert.equal(textOfBinary === undefined, sample.textOnly === true, 'is the binary form known?')
  if (textOfBinary === undefined) return
  const binaries = answers.map((answer) => Buffer.from(answer.binary, 'hex'))
  const binary = store(codec, 'putBinary', binaries)
  answers.forEach((answer, row) => {
    assert.equal(binary.refused[row], text.refused[row], `refused in binary: ${answer.v}`)
    const framed = Buffer.concat([Buffer.from('<<'), binaries[row]!, Buffer.from('>')])
    assert.equal(textOfBinary(framed, 2, framed.length - 1), answer.v, 'text of the binary form')
  })
  assert.deepEqual(binary.page, text.page, 'page from binary and from text')
}

function expected(codec: ValueCodec, sample: TypeSamples, answer: Answer): Stored {
  if (sample.stored === undefined) return answer.v
  return codec.list ? (JSON.parse(answer.stored) as (string | null)[]) : answer.stored
}
