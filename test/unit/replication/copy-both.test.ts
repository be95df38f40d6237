// The wire of a replication stream over a real socket: messages cut anywhere, backpressure, refusals, and the order of a
// goodbye.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pause } from '../../../internal/model/change-sink.js'
import { BadBytes } from '../../../internal/model/bad-bytes.js'
import { Failure, type FailureKind } from '../../../internal/model/failure.js'
import { CopyBoth } from '../../../internal/replication/copy-both.js'
import { ReadPacer } from '../../../internal/replication/read-pacer.js'
import { eventually } from '../../support/eventually.js'
import { errorFields, FakeWalsender, serverMessage, type WalsenderLink } from '../../support/fake-walsender.js'
import { int16, int32, int8, letter } from '../../support/pgoutput-messages.js'

let server: FakeWalsender
before(async () => (server = await FakeWalsender.listen()))
after(() => server.close())

interface Wire {
  readonly copy: CopyBoth
  readonly link: WalsenderLink
  readonly payloads: Buffer[]
}

async function open(
  t: TestContext,
  answer: (payload: Buffer) => Pause = () => undefined,
  pacer = new ReadPacer(true),
): Promise<Wire> {
  const { client, link } = await server.connect()
  const payloads: Buffer[] = []
  const copy = new CopyBoth(
    client,
    'START_REPLICATION',
    (buffer, start, end) => {
      payloads.push(Buffer.from(buffer.subarray(start, end)))
      return answer(payloads.at(-1)!)
    },
    pacer,
  )
  t.after(() => copy.destroy())
  const query = await link.next(({ kind }) => kind === 'Q')
  assert.equal(query.payload.toString(), 'START_REPLICATION\0')
  return { copy, link, payloads }
}

async function failureOf(copy: CopyBoth): Promise<Failure> {
  const outcome: unknown = await copy.done.then(
    () => 'ended in order',
    (error: unknown) => error,
  )
  assert.ok(outcome instanceof Failure, String(outcome))
  return outcome
}

const copyBothResponse = serverMessage('W', Buffer.concat([int8(0), int16(0)]))

test('messages may be cut at every byte', async (t) => {
  const { copy, link, payloads } = await open(t)
  const sent = ['', 'a', 'a longer payload', '\0\0\0'].map((payload) => Buffer.from(payload))
  const bytes = Buffer.concat([
    copyBothResponse,
    serverMessage('N', Buffer.from('notice')),
    ...sent.map((payload) => serverMessage('d', payload)),
    serverMessage('S', Buffer.from('parameter')),
  ])
  let total = 0
  for (let cut = 0; cut <= bytes.length; cut++) {
    payloads.length = 0
    for (const part of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
      link.write(part)
      total += part.length
      while (copy.bytesRead < total) await sleep(0)
    }
    assert.deepEqual(payloads, sent, `cut at byte ${cut}`)
  }
})

test('one byte at a time is enough', async (t) => {
  const { copy, link, payloads } = await open(t)
  const bytes = Buffer.concat([
    copyBothResponse,
    serverMessage('d', Buffer.from('one')),
    serverMessage('d', Buffer.from('two')),
  ])
  for (let k = 0; k < bytes.length; k++) {
    link.write(bytes.subarray(k, k + 1))
    while (copy.bytesRead < k + 1) await sleep(0)
  }
  assert.deepEqual(payloads.map(String), ['one', 'two'])
})

test('a message of 5 MB comes whole, and so do the small ones around it', async (t) => {
  const { link, payloads } = await open(t)
  const large = Buffer.alloc(5_000_000)
  for (let k = 0; k < large.length; k += 4) large.writeUInt32LE(Math.imul(k, 2_654_435_761) >>> 0, k)
  link.copyBoth()
  for (const payload of [Buffer.from('before'), large, Buffer.from('between'), large, Buffer.from('after')])
    link.copyData(payload)
  await eventually(() => payloads.length === 5)
  assert.ok(payloads[1]!.equals(large) && payloads[3]!.equals(large))
  assert.deepEqual([payloads[0], payloads[2], payloads[4]].map(String), ['before', 'between', 'after'])
})

test('many small messages come in order, whatever the pacer makes of them', async (t) => {
  const { link, payloads } = await open(t, () => undefined, new ReadPacer(false))
  link.copyBoth()
  for (let k = 0; k < 2000; k++) {
    link.copyData(int32(k))
    if (k % 100 === 0) await sleep(1)
  }
  await eventually(() => payloads.length === 2000)
  payloads.forEach((payload, k) => assert.equal(payload.readUInt32BE(0), k))
})

test('G10: while a payload is waited for nothing is handed on and reading stops', async (t) => {
  let release = (): void => undefined
  let pauses = 0
  const { copy, link, payloads } = await open(t, (payload) => {
    if (payload.readUInt32BE(0) % 50 !== 0) return undefined
    pauses++
    return new Promise<void>((resolve) => (release = resolve))
  })
  link.copyBoth()
  const total = 300
  for (let k = 0; k < total; k++) link.copyData(Buffer.concat([int32(k), Buffer.alloc(100_000)]))
  for (let seen = 1; seen < total; seen += 50) {
    await eventually(() => payloads.length === seen)
    assert.equal(copy.paused, true)
    await sleep(30)
    assert.equal(payloads.length, seen, 'a payload was handed on during a pause')
    // What the kernel holds is not read: at most a chunk or two beyond what was handed on.
    assert.ok(copy.bytesRead < seen * 100_100 + 1_000_000, `${copy.bytesRead} bytes read at ${seen}`)
    release()
  }
  await eventually(() => payloads.length === total)
  assert.equal(pauses, 6)
  payloads.forEach((payload, k) => assert.equal(payload.readUInt32BE(0), k))
  assert.equal(copy.paused, false)
})

test('a pause that is rejected ends the stream with its reason', async (t) => {
  const reason = new Failure('fenced', 'somebody else')
  const { copy, link, payloads } = await open(t, () => Promise.reject(reason))
  link.copyBoth()
  link.copyData(Buffer.from('1'))
  link.copyData(Buffer.from('2'))
  assert.equal(await failureOf(copy), reason)
  assert.equal(payloads.length, 1)
})

test('a handler that throws ends the stream; an error of no kind is unexpected', async (t) => {
  const reason = new Failure('protocol', 'x')
  for (const [thrown, kind] of [
    [reason, 'protocol'],
    [new TypeError('y'), 'unexpected'],
  ] as const) {
    const { copy, link } = await open(t, () => {
      throw thrown
    })
    link.copyBoth()
    link.copyData(Buffer.from('1'))
    assert.equal((await failureOf(copy)).kind, kind)
  }
})

const refusals: readonly (readonly [string, string, boolean, FailureKind])[] = [
  ['55006', 'replication slot "s" is active for PID 1', false, 'slot_busy'],
  ['57P01', 'terminating connection due to administrator command', true, 'link'],
  ['42883', 'no binary output function available for type aclitem', true, 'needs_text'],
  ['57P02', 'crash of another server process', true, 'link'],
  ['57P03', 'the database system is starting up', false, 'link'],
  ['08006', 'connection failure', false, 'link'],
  ['53300', 'too many connections', false, 'link'],
  ['42704', 'replication slot "s" does not exist', false, 'unsafe'],
  ['XX000', 'something broke', true, 'link'],
  ['58P01', 'requested WAL segment 00000001000000000000000A has already been removed', true, 'unsafe'],
  ['55000', 'can no longer get changes from replication slot "s"', false, 'unsafe'],
]
for (const [code, text, copying, kind] of refusals)
  test(`SQLSTATE ${code} ${copying ? 'in' : 'before'} the stream is a failure of kind ${kind}`, async (t) => {
    const { copy, link } = await open(t)
    if (copying) link.copyBoth()
    link.error(code, text)
    const failure = await failureOf(copy)
    assert.equal(failure.kind, kind)
    assert.ok(failure.message.includes(text) && failure.message.includes(code), failure.message)
  })

test('what the server says of a row while it streams may quote a value, and is not repeated', async (t) => {
  const { copy, link } = await open(t)
  link.copyBoth()
  link.error('22P02', 'invalid input syntax for type integer: "pl4nted"')
  const failure = await failureOf(copy)
  assert.equal(failure.kind, 'link')
  assert.match(failure.message, /an error in a row; its log says which \(SQLSTATE 22P02\)$/)
})

test('an ErrorResponse without its ends is still an error', async (t) => {
  for (const payload of [
    Buffer.from('C55006'),
    Buffer.from('C55006\0Mbusy'),
    Buffer.alloc(0),
    errorFields('55006', 'x').subarray(0, 8),
  ]) {
    const { copy, link } = await open(t)
    link.send('E', payload)
    await failureOf(copy)
  }
})

test('the end of the stream from the server breaks the link: it never ends it in peace', async (t) => {
  const done = await open(t)
  done.link.copyBoth()
  done.link.send('c', Buffer.alloc(0))
  assert.equal((await failureOf(done.copy)).kind, 'link')
  const gone = await open(t)
  gone.link.copyBoth()
  gone.link.socket.end()
  assert.equal((await failureOf(gone.copy)).kind, 'link')
  const reset = await open(t)
  reset.link.socket.resetAndDestroy()
  assert.equal((await failureOf(reset.copy)).kind, 'link')
})

test('G9: a message that no server sends here, and a length that none has, stop the stream', async (t) => {
  const bytes = [
    serverMessage('?', Buffer.from('x')),
    serverMessage('D', Buffer.from('row')),
    Buffer.concat([letter('d'), int32(0), Buffer.alloc(10)]),
    Buffer.concat([letter('d'), int32(3), Buffer.alloc(10)]),
    Buffer.concat([letter('d'), int32(-1), Buffer.alloc(10)]),
    Buffer.concat([letter('d'), int32(0x7fff_fff0), Buffer.alloc(300_000)]),
  ]
  for (const wrong of bytes) {
    const { copy, link, payloads } = await open(t)
    link.copyBoth()
    link.write(wrong)
    const failure = await failureOf(copy)
    assert.equal(failure.kind, 'protocol')
    assert.ok(
      failure instanceof BadBytes &&
        failure.message.startsWith(`message 0x${wrong[0]!.toString(16)} from the server: `),
    )
    // Behind the CopyBothResponse.
    assert.equal(failure.at, 8)
    assert.equal(payloads.length, 0)
  }
})

test('an orderly end: what was sent arrives first, then CopyDone, then the end of the connection', async (t) => {
  const { copy, link } = await open(t)
  link.copyBoth()
  copy.send(Buffer.from('last words'))
  const closed = copy.close(5_000)
  assert.equal((await link.next(({ kind }) => kind === 'd')).payload.toString(), 'last words')
  await link.next(({ kind }) => kind === 'c')
  await link.next(({ kind }) => kind === 'X')
  copy.send(Buffer.from('too late'))
  await closed
  await copy.done
  assert.deepEqual(link.messages, [])
})

test('an orderly end waits no longer than it is told, and passes over what the server still sends', async (t) => {
  const { client, link } = await server.connect()
  link.socket.allowHalfOpen = true
  const payloads: number[] = []
  const copy = new CopyBoth(client, 'X', (_, start, end) => void payloads.push(end - start), new ReadPacer(true))
  t.after(() => copy.destroy())
  await link.next(({ kind }) => kind === 'Q')
  link.copyBoth()
  const began = performance.now()
  const closed = copy.close(200)
  link.copyData(Buffer.from('unwanted'))
  await closed
  assert.ok(performance.now() - began < 10_000)
  assert.deepEqual(payloads, [])
  await copy.close(200)
})

test('a stream that is destroyed is over without a failure', async (t) => {
  const { copy, link } = await open(t)
  const ended = once(link.socket, 'close')
  copy.destroy()
  await copy.done
  await ended
})

test('listeners of the driver are off the socket', async (t) => {
  const { client, socket, link } = await server.connect()
  let heard = 0
  for (const event of ['data', 'error', 'close', 'end']) socket.on(event, () => heard++)
  const copy = new CopyBoth(client, 'X', () => undefined, new ReadPacer(true))
  t.after(() => copy.destroy())
  link.copyBoth()
  link.socket.end()
  await failureOf(copy)
  assert.equal(heard, 0)
})

test('a connection that has died before it was taken over is told at once', async () => {
  const { client, socket } = await server.connect()
  socket.destroy()
  await once(socket, 'close')
  const copy = new CopyBoth(client, 'START_REPLICATION', () => undefined, new ReadPacer(true))
  assert.equal((await failureOf(copy)).kind, 'link')
})

test('the stream has started when the server has said so, and not before', async (t) => {
  const { copy, link } = await open(t)
  let started = false
  void copy.started.then(() => (started = true))
  link.send('N', Buffer.from('notice'))
  await eventually(() => copy.bytesRead > 0)
  assert.equal(started, false)
  link.copyBoth()
  await copy.started
})
