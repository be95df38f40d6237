// What a real server has sent of every type, changed at random: a value is refused or means what PostgreSQL says it means, a
// row is refused or is what the protocol says it is, with every column from its own bytes.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import type pg from 'pg'
import { Failure } from '../../internal/model/failure.js'
import { codecOf, type ValueCodec } from '../../internal/transform/values/value-codec.js'
import { allRows, BuilderRun, type Row } from '../support/builder-run.js'
import { changed, changes } from '../support/changed-bytes.js'
import { encodeMessage, NULL, type Field, type Tuple } from '../support/pgoutput-messages.js'
import { testDatabase, type TestDatabase } from '../support/postgres.js'
import { readRowMessage, type RowMessage } from '../support/row-message.js'
import { soakMinutes } from '../support/soak.js'
import { store, type Stored } from '../unit/transform/values/stored-column.js'
import { byteSamples, type ByteSamples } from './changed-bytes/byte-samples.js'
import { COLUMNS, recordCorpus, type Corpus, type Form, type Sent } from './changed-bytes/corpus.js'
import { ServerAnswers, type Answer } from './changed-bytes/server-answer.js'

const VALUES = 6_000
const ROWS = 600

let database: TestDatabase
let client: pg.Client
let corpus: Corpus
let server: ServerAnswers

before(async () => {
  database = await testDatabase()
  client = await database.client()
  corpus = await recordCorpus(client)
  server = await ServerAnswers.of(
    client,
    byteSamples.map(({ type }) => type),
  )
})
after(() => database.drop())

function runs(ordinary: number): fc.Parameters<unknown> {
  const minutes = soakMinutes()
  // A soak looks for what nobody has thought of; an ordinary run for what a change has broken.
  if (minutes === undefined) return { numRuns: ordinary, seed: 20_240_229 }
  return { numRuns: 1_000_000_000, plugins: [fc.interruptAfterTimeLimit((minutes * 60_000) / 2)] }
}

test('the corpus has every type, in every form that is read', () => {
  for (const sample of byteSamples) {
    const forms = new Set(corpus.sent.filter((sent) => sent.sample === sample).map(({ form }) => form))
    assert.ok(forms.has('text'), sample.type)
    assert.ok(forms.has('binary') || corpus.sent.every(({ form }) => form === 'text'), sample.type)
  }
})

test('G8 G9: a changed value is refused, or is what PostgreSQL says of it', async () => {
  const values = corpus.sent.flatMap(({ sample, form, row }) => {
    const field = readRowMessage(row, COLUMNS.length)?.new?.[1]
    const known = form === 'text' || sample.textOnly !== true
    return known && field !== undefined && 'bytes' in field ? [{ sample, form, bytes: field.bytes }] : []
  })
  const seen = { same: 0, other: 0, none: 0 }
  await fc.assert(
    fc.asyncProperty(fc.nat(values.length - 1), changes, async (k, all) => {
      const { sample, form, bytes } = values[k]!
      const wrong = changed(bytes, all)
      const answer = await server.ask(sample, form, wrong)
      const ours = outcomeOf(codecFor(sample), form, wrong)
      const told = `${sample.type} in ${form}, ${wrong.toString('hex')} (${wrong.toString('latin1')}): ${JSON.stringify({ answer, ours })}`
      judge(sample, form, wrong, answer, ours, told)
      seen[answer === undefined ? 'none' : answer.sent[form] === wrong.toString('hex') ? 'same' : 'other']++
    }),
    runs(VALUES),
  )
  assert.ok(seen.same > 0 && seen.other > 0 && seen.none > 0, JSON.stringify(seen))
})

function codecFor(sample: ByteSamples): ValueCodec {
  const { type, typmod } = corpus.columns.get(sample)!
  return codecOf(type, typmod, 'string')
}

type Outcome = { readonly stored: Stored } | { readonly raw: string } | 'refused'

function outcomeOf(codec: ValueCodec, form: Form, bytes: Buffer): Outcome {
  const framed = Buffer.concat([Buffer.from('<<'), bytes, Buffer.from('>')])
  try {
    const column = store(codec, form === 'text' ? 'putText' : 'putBinary', [bytes])
    const text = form === 'text' ? bytes.toString('utf8') : codec.textOfBinary!(framed, 2, framed.length - 1)
    return column.refused[0] === true ? { raw: text } : { stored: column.rows[0]! }
  } catch (error) {
    assert.ok(error instanceof Failure && error.kind === 'protocol', error as Error)
    return 'refused'
  }
}

/** Types whose text is not judged: it is kept as it was sent. */
const FREE_TEXT = /^(text|varchar|char|"char"|name|citext|json|xml|mood|"Öffnung"|label)/
/** Types of which the server sends only some values, all of which are printed in the same way as those. */
const SOME_VALUES = /^(box|line|circle|path|varbit|bit)|range/
/** Declared with a limit that a value itself does not know: what is beyond it is rounded or refused by the cast alone. */
const LIMITED = /\(|^(amount|small_amount|label|interval )/

function judge(
  sample: ByteSamples,
  form: Form,
  bytes: Buffer,
  answer: Answer | undefined,
  ours: Outcome,
  told: string,
): void {
  const { type } = sample
  const codec = codecFor(sample)
  const asSent = form === 'text' && 'logical' in codec.type && codec.type.logical === 'string'
  if (answer?.sent[form] === bytes.toString('hex')) {
    // As a server sends it: nothing else will do.
    const stored = answer.stored === null || !codec.list ? answer.stored : (JSON.parse(answer.stored) as Stored)
    assert.deepEqual(ours, stored === null ? { raw: answer.text } : { stored }, told)
    return
  }
  if (ours === 'refused' || FREE_TEXT.test(type)) return
  if (answer === undefined) {
    // An empty vector is what the server sends and then does not take.
    if (type.endsWith('vector') && 'stored' in ours && ours.stored === '') return
    const kept =
      asSent || SOME_VALUES.test(type) || ('raw' in ours && (LIMITED.test(type) || (form === 'text' && codec.list)))
    assert.ok(kept, told)
    // A byte above 127 is written as newer servers print it.
    if (asSent && 'stored' in ours && !codec.list && type !== '"char"')
      assert.equal(ours.stored, bytes.toString('utf8'), told)
    return
  }
  if ('raw' in ours) assert.ok(form === 'text' || LIMITED.test(type) || ours.raw === answer.text, told)
  else if (asSent && !codec.list) assert.equal(ours.stored, bytes.toString('utf8'), told)
  else if (!SOME_VALUES.test(type) && !LIMITED.test(type) && answer.stored !== null)
    assert.deepEqual(ours.stored, codec.list ? JSON.parse(answer.stored) : answer.stored, told)
}

test('a row as it was sent is taken, with every column from its own bytes', async () => {
  const rows = corpus.sent.filter(({ sample, form }) => form === 'text' || sample.textOnly !== true)
  for (const sent of rows.filter((_, k) => k % 19 === 0)) {
    const told = `${sent.sample.type} in ${sent.form}, ${sent.row.toString('hex')}`
    const found = await rowsOf(sent, sent.row, told)
    assert.ok(found, `refused: ${told}`)
    await assertColumns(sent, readRowMessage(sent.row, COLUMNS.length)!, found, told)
  }
})

test('G9: a changed row is refused with its place, or has every column from its own bytes', async () => {
  const seen = { taken: 0, refused: 0 }
  const rows = corpus.sent.filter(({ sample, form }) => form === 'text' || sample.textOnly !== true)
  await fc.assert(
    fc.asyncProperty(fc.nat(rows.length - 1), changes, async (k, all) => {
      const sent = rows[k]!
      // The kind of message stays: that none passes for another is a test of its own.
      const wrong = Buffer.concat([sent.row.subarray(0, 1), changed(sent.row.subarray(1), all)])
      const told = `${sent.sample.type} in ${sent.form}, ${wrong.toString('hex')}`
      const found = await rowsOf(sent, wrong, told)
      seen[found === undefined ? 'refused' : 'taken']++
      if (found === undefined) return
      const message = readRowMessage(wrong, COLUMNS.length)
      assert.ok(message, told)
      await assertColumns(sent, message, found, told)
    }),
    runs(ROWS),
  )
  assert.ok(seen.taken > 0 && seen.refused > 0, JSON.stringify(seen))
})

const PLACED =
  /^pgoutput: message [IUD] \(0x..\) of (\d+) bytes, byte (\d+): .+, in the transaction that commits at 0\/40$/s

/** What stands in the file, undefined where the message was refused. */
async function rowsOf({ relation }: Sent, message: Buffer, told: string): Promise<Row[] | undefined> {
  const run = new BuilderRun({ typesOf: corpus.types })
  await run.feed({ tag: 'begin', commitLsn: 0x40n, micros: 0n, xid: 1 })
  await run.feedBytes(relation)
  try {
    await run.feedBytes(message)
  } catch (error) {
    assert.ok(error instanceof Failure && error.kind === 'protocol', `${told}: ${String(error)}`)
    const [, length, byte] = PLACED.exec(error.message) ?? assert.fail(`${told}: ${error.message}`)
    assert.equal(Number(length), message.length, told)
    assert.ok(Number(byte) <= message.length, `${told}: ${error.message}`)
    await run.builder.discard()
    return undefined
  } finally {
    assert.ok(run.heldBytes < 1 << 20, `${run.heldBytes} bytes are held for ${told}`)
  }
  await run.feed({ tag: 'commit', commitLsn: 0x40n, endLsn: 0x48n, micros: 0n })
  run.builder.stop()
  return allRows(run.closed)
}

async function assertColumns(sent: Sent, message: RowMessage, found: readonly Row[], told: string): Promise<void> {
  const { tag, old, oldKind } = message
  const fields: Tuple =
    tag === 'D' ? old! : message.new!.map((field, k) => (field.kind === 'unchanged' ? (old?.[k] ?? field) : field))
  const last = found.at(-1)!
  assert.equal(last._op, tag, told)
  for (const [k, column] of COLUMNS.entries()) {
    const field = fields[k]!
    const alone = oldKind === 'K' && tag === 'D' ? undefined : await valueAlone(sent, k, field, told)
    if (alone === undefined) continue
    assert.deepEqual([last[column], rawOf(last, column)], alone, `${column} of ${told}`)
  }
  if (oldKind !== 'O') return
  const before = JSON.parse(String(last._before)) as Record<string, string | null>
  for (const [k, column] of COLUMNS.entries())
    assert.equal(before[column], textOfField(sent, k, old![k]!), `old ${column} of ${told}`)
}

/** Column and _raw, from a row in which nothing else is. */
async function valueAlone(sent: Sent, k: number, field: Field, told: string): Promise<unknown[]> {
  if (!('bytes' in field)) return [null, undefined]
  const row = encodeMessage({
    tag: 'insert',
    oid: sent.relation.readUInt32BE(1),
    new: COLUMNS.map((_, n) => (n === k ? field : NULL)),
  })
  const found = await rowsOf(sent, row, told)
  assert.ok(found, `refused alone: ${told}`)
  return [found[0]![COLUMNS[k]!], rawOf(found[0]!, COLUMNS[k]!)]
}

function rawOf(row: Row, column: string): unknown {
  return row._raw === null ? undefined : (JSON.parse(String(row._raw)) as Record<string, string>)[column]
}

function textOfField({ sample }: Sent, k: number, field: Field): string | null {
  if (!('bytes' in field)) return null
  if (field.kind === 'text') return field.bytes.toString('utf8')
  if (k === 0) return String(field.bytes.readInt32BE())
  return k === 2 ? field.bytes.toString('utf8') : codecFor(sample).textOfBinary!(field.bytes, 0, field.bytes.length)
}
