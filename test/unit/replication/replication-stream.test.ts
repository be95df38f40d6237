// A replication stream against a server that the test plays: what is asked for, what is told of positions, and when the link
// counts as dead.
import assert from 'node:assert/strict'
import { after, before, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../../internal/model/failure.js'
import { LinkPatience } from '../../../internal/replication/liveness.js'
import { ReplicationStream, type StreamOptions } from '../../../internal/replication/replication-stream.js'
import { eventually } from '../../support/eventually.js'
import { FakeWalsender, type WalsenderLink } from '../../support/fake-walsender.js'
import { encodeMessage, xlogData, type Message } from '../../support/pgoutput-messages.js'
import { RecordingSink } from '../../support/recording-sink.js'

let server: FakeWalsender
before(async () => (server = await FakeWalsender.listen()))
after(() => server.close())

const options: StreamOptions = {
  slot: 'wal_cake_slot',
  publication: 'wal_cake_pub',
  startLsn: 0x16_0000_1000n,
  checkSlot: () => undefined,
  binary: true,
  walSenderTimeoutMs: 60_000,
  unixSocket: false,
  patience: new LinkPatience(),
}
const START = options.startLsn

interface Running {
  readonly stream: ReplicationStream
  readonly sink: RecordingSink
  readonly link: WalsenderLink
  readonly command: string
}

async function start(t: TestContext, changed: Partial<StreamOptions> = {}): Promise<Running> {
  const { client, link } = await server.connect()
  const sink = new RecordingSink()
  const stream = new ReplicationStream(client, { ...options, ...changed }, sink)
  t.after(() => stream.destroy())
  const command = (await link.next(({ kind }) => kind === 'Q')).payload.toString().slice(0, -1)
  link.copyBoth()
  return { stream, sink, link, command }
}

async function failureOf(stream: ReplicationStream): Promise<Failure> {
  const outcome: unknown = await stream.done.catch((error: unknown) => error)
  assert.ok(outcome instanceof Failure, String(outcome))
  return outcome
}

const begin = (commitLsn: bigint): Message => ({ tag: 'begin', commitLsn, micros: 0n, xid: 1 })
const commit = (commitLsn: bigint): Message => ({ tag: 'commit', commitLsn, endLsn: commitLsn + 8n, micros: 0n })

test('names are quoted against the two parsers that read them', async (t) => {
  const plain = await start(t)
  assert.equal(
    plain.command,
    `START_REPLICATION SLOT "wal_cake_slot" LOGICAL 16/1000 (proto_version '1', publication_names '"wal_cake_pub"', binary 'true')`,
  )
  const strange = await start(t, { publication: `My "pub", it's`, binary: false })
  assert.equal(
    strange.command,
    `START_REPLICATION SLOT "wal_cake_slot" LOGICAL 16/1000 (proto_version '1', publication_names '"My ""pub"", it''s"')`,
  )
})

test('transactions and keepalives between them are handed on in order', async (t) => {
  const { link, sink, stream } = await start(t)
  link.xlog(encodeMessage(begin(START + 10n)))
  link.keepalive(START + 5n, false)
  link.xlog(encodeMessage(commit(START + 10n)))
  link.keepalive(START + 20n, true)
  await eventually(() => sink.recorded.length === 3)
  assert.deepEqual(
    sink.recorded.map((event) => event.tag),
    ['begin', 'commit', 'keepalive'],
  )
  assert.deepEqual(sink.recorded[2], { tag: 'keepalive', position: START + 20n, urgent: true })
  assert.equal(stream.inTransaction, false)
})

test('G1: received, durable and what the server is told are three positions', async (t) => {
  const { link, stream } = await start(t)
  link.keepalive(START + 100n, true)
  const first = await link.nextStatus()
  assert.deepEqual([first.received, first.flushed, first.applied], [START + 100n, START, START])
  stream.noteReceived(START + 200n)
  stream.acknowledge(START + 50n)
  const second = await link.nextStatus()
  assert.deepEqual([second.received, second.flushed, second.applied], [START + 200n, START + 50n, START + 50n])
  assert.equal(stream.acked, START + 50n)
  assert.ok(Math.abs(Number(second.clockMicros / 1000n) - Date.now()) < 5_000, 'the clock is not that of 2000-01-01')
})

test('G1: no position ever goes back, whatever the caller says', async (t) => {
  const { link, stream } = await start(t)
  stream.noteReceived(START + 100n)
  stream.acknowledge(START + 90n)
  stream.noteReceived(START + 10n)
  stream.acknowledge(START + 20n)
  stream.acknowledge(START - 500n)
  link.keepalive(START + 30n, true)
  for (let k = 0; k < 4; k++) {
    const { received, flushed } = await link.nextStatus()
    assert.deepEqual([received, flushed], [START + 100n, START + 90n])
  }
})

test('G1: received is never behind durable', async (t) => {
  const { link, stream } = await start(t)
  stream.acknowledge(START + 900n)
  const { received, flushed } = await link.nextStatus()
  assert.deepEqual([received, flushed], [START + 900n, START + 900n])
})

test('a keepalive that wants a reply gets one at once, even inside a transaction', async (t) => {
  const { link, sink } = await start(t)
  link.xlog(encodeMessage(begin(START + 10n)))
  link.keepalive(START + 400n, true)
  const began = performance.now()
  const { received, replyRequested } = await link.nextStatus()
  // Unasked it would come after a third of the server's minute.
  assert.ok(performance.now() - began < 10_000)
  assert.deepEqual([received, replyRequested], [START, false], 'a position inside a transaction is not received')
  assert.equal(sink.recorded.length, 1)
})

test('a keepalive that wants no reply gets none', async (t) => {
  const { link, sink } = await start(t)
  link.keepalive(START + 1n, false)
  await eventually(() => sink.recorded.length === 1)
  await sleep(50)
  assert.deepEqual(link.messages, [])
})

test('G9: frames that are none stop the stream', async (t) => {
  const frames = [
    Buffer.from('x'),
    Buffer.alloc(0),
    xlogData(0n, Buffer.alloc(0)),
    xlogData(0n, Buffer.alloc(0)).subarray(0, 10),
    Buffer.from('k\0\0'),
  ]
  for (const frame of frames) {
    const { link, stream, sink } = await start(t)
    link.copyData(frame)
    const failure = await failureOf(stream)
    assert.equal(failure.kind, 'protocol')
    assert.match(failure.message, /^(replication stream: .*, after 16\/1000|pgoutput: message \(none\) .*)$/)
    assert.deepEqual(sink.recorded, [])
  }
  const { link, stream } = await start(t)
  link.send('?', Buffer.alloc(3))
  assert.match(
    (await failureOf(stream)).message,
    /^replication stream: byte \d+ of the stream, message 0x3f from the server: .*, after 16\/1000$/,
  )
})

test('positions are told unasked at a third of the server`s patience, also while nothing is read', async (t) => {
  const { link, sink, stream } = await start(t, { walSenderTimeoutMs: 1_500 })
  sink.pause = () => new Promise<void>(() => undefined)
  link.xlog(encodeMessage(begin(START + 10n)))
  await eventually(() => sink.recorded.length === 1)
  const began = performance.now()
  for (let k = 0; k < 3; k++) await link.nextStatus()
  const elapsed = performance.now() - began
  assert.ok(elapsed < 3 * 1_500, `three status updates took ${elapsed} ms`)
  stream.destroy()
})

/** A clock that jumps forward by what is added to it. */
function jumpingClock(t: TestContext): { jump(ms: number): void } {
  const now = performance.now.bind(performance)
  let ahead = 0
  t.mock.method(performance, 'now', () => now() + ahead)
  return { jump: (ms) => (ahead += ms) }
}

test('G11: a silent link is asked first and then given up', async (t) => {
  const clock = jumpingClock(t)
  const { link, stream } = await start(t, { walSenderTimeoutMs: 600 })
  link.keepalive(START, false)
  clock.jump(5_000)
  await link.nextStatus(({ replyRequested }) => replyRequested)
  clock.jump(20_000)
  const failure = await failureOf(stream)
  assert.equal(failure.kind, 'link')
  assert.match(failure.message, /nothing came from the server for \d+ s/)
})

test('G11: a server that was given up in its silence gets more time on the next link', async (t) => {
  const clock = jumpingClock(t)
  const patience = new LinkPatience()
  const first = await start(t, { walSenderTimeoutMs: 600, patience })
  clock.jump(5_500)
  assert.equal((await failureOf(first.stream)).kind, 'link')
  const second = await start(t, { walSenderTimeoutMs: 600, patience })
  let broken = false
  second.stream.done.catch(() => (broken = true))
  clock.jump(5_500)
  await second.link.nextStatus(({ replyRequested }) => replyRequested)
  assert.equal(broken, false)
  clock.jump(5_500)
  assert.equal((await failureOf(second.stream)).kind, 'link')
})

test('a link that answers is not given up', async (t) => {
  const clock = jumpingClock(t)
  const { link, stream, sink } = await start(t, { walSenderTimeoutMs: 600 })
  let broken = false
  stream.done.catch(() => (broken = true))
  for (let k = 1; k <= 3; k++) {
    clock.jump(4_000)
    await link.nextStatus(({ replyRequested }) => replyRequested)
    link.keepalive(START, false)
    await eventually(() => sink.recorded.length === k)
    await sleep(250)
  }
  assert.equal(broken, false)
})

test('while we do not read, silence proves nothing', async (t) => {
  const clock = jumpingClock(t)
  const { link, stream, sink } = await start(t, { walSenderTimeoutMs: 600 })
  let release = (): void => undefined
  sink.pause = () => new Promise<void>((resolve) => (release = resolve))
  link.keepalive(START, false)
  await eventually(() => sink.recorded.length === 1)
  let broken = false
  stream.done.catch(() => (broken = true))
  await sleep(250) // by now what came before the pause was looked at
  clock.jump(3_600_000)
  await sleep(450)
  assert.equal(broken, false, 'a paused stream counts as dead')
  sink.pause = () => undefined
  release()
  await sleep(250)
  assert.equal(broken, false, 'the pause was counted as silence once it was over')
  clock.jump(3_600_000)
  assert.equal((await failureOf(stream)).kind, 'link')
})

test('G1: the last status leaves before the goodbye', async (t) => {
  const { link, stream } = await start(t)
  stream.noteReceived(START + 70n)
  stream.acknowledge(START + 70n)
  await link.nextStatus()
  const closed = stream.close(5_000)
  const { flushed } = await link.nextStatus()
  assert.equal(flushed, START + 70n)
  await link.next(({ kind }) => kind === 'c')
  await closed
  await stream.done
})

test('nothing is sent after the end', async (t) => {
  const { link, stream } = await start(t)
  await stream.close(5_000)
  await link.next(({ kind }) => kind === 'X')
  stream.acknowledge(START + 70n)
  await sleep(20)
  assert.deepEqual(link.messages, [])
})

test('nothing of the stream is taken before the slot has been looked at, with the position that was asked for', async (t) => {
  let look: (asked: bigint) => void = () => undefined
  const looked = new Promise<bigint>((resolve) => (look = resolve))
  let settle: () => void = () => undefined
  const checkSlot = (asked: bigint): Promise<void> => {
    look(asked)
    return new Promise((resolve) => (settle = resolve))
  }
  const { link, sink, stream } = await start(t, { checkSlot })
  link.xlog(encodeMessage(begin(START + 10n)))
  let started = false
  void stream.started.then(() => (started = true))
  assert.equal(await looked, START)
  await sleep(20)
  assert.deepEqual([sink.recorded, started], [[], false])
  settle()
  await eventually(() => sink.recorded.length === 1 && started)
})

test('a slot that does not stand as it should ends the stream with what is wrong', async (t) => {
  const moved = new Failure('plan_taken', 'moved')
  const { sink, stream, link } = await start(t, { checkSlot: () => Promise.reject(moved) })
  link.xlog(encodeMessage(begin(START + 10n)))
  assert.equal(await failureOf(stream), moved)
  assert.deepEqual(sink.recorded, [])
})
