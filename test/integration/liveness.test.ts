// /livez says 503 when only a restart would help, and never for what passes by itself or is mended elsewhere. The service runs
// inside the test, which puts its clock forward.
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { Failure } from '../../internal/model/failure.js'
import { eventually } from '../support/eventually.js'
import { proxiedRig, type ProxiedRigOptions } from '../support/proxied-rig.js'
import { serviceInside, type ServiceInside } from '../support/service-inside.js'

/** One is within every bound, as many as are taken are beyond those of streams and stores. */
const STEP_MINUTES = 20
const STEPS = 2

async function setUp(t: TestContext, more: Record<string, string> = {}, options: ProxiedRigOptions = {}) {
  const { rig, proxy } = await proxiedRig(t, { lake: 'folder', walSenderTimeout: '4s', ...options })
  await rig.source.query('CREATE TABLE orders (id int PRIMARY KEY, text text)')
  const url = new URL(proxy.through(rig.source.url))
  url.searchParams.set('sslmode', 'disable')
  const start = () => serviceInside(t, { ...rig.env, PG_CONN_STRING: url.href, SNAPSHOT: 'never', ...more })
  return { rig, proxy, start }
}

/** Lets hours pass, as they would: whoever moves, moves in each step. */
async function hoursPass(inside: ServiceInside, moves: () => Promise<unknown>): Promise<void> {
  for (let step = 0; step < STEPS; step++) {
    inside.pass(STEP_MINUTES)
    await moves()
    const { status, text } = await inside.ask('/livez')
    assert.equal(status, 200, `after ${step + 1} steps: ${text}`)
  }
}

/** Resolves when the stream has read something more: an idle server sends keepalives. */
async function reads({ metrics }: ServiceInside): Promise<void> {
  const read = () => metrics.slotReport?.receivedBytes ?? 0
  const before = await eventually(() => read() || undefined)
  await eventually(() => read() > before)
}

// They mostly wait.
describe('livez', { concurrency: 5 }, () => {
  test('an idle database is no reason', async (t) => {
    const { start } = await setUp(t)
    const inside = await start()
    await inside.streams()
    await hoursPass(inside, () => reads(inside))
    assert.equal((await inside.ask('/readyz')).status, 200)
  })

  test('a write that is never answered is a reason once every timeout has passed, until it goes on', async (t) => {
    const { rig, start } = await setUp(t)
    const inside = await start()
    await inside.streams()
    let letGo = (): void => undefined
    const held = new Promise<void>((resolve) => (letGo = resolve))
    t.after(() => letGo())
    let reached = false
    inside.store.before = async (operation, key) => {
      if (operation !== 'put' || !key.endsWith('commit.json')) return
      reached = true
      await held
    }
    await rig.source.query(`INSERT INTO orders VALUES (1, 'x')`)
    await eventually(() => reached)
    await reads(inside)
    assert.equal((await inside.ask('/livez')).status, 200)
    inside.pass(STEP_MINUTES)
    await reads(inside)
    assert.equal((await inside.ask('/livez')).status, 200, 'within the bound')
    inside.pass(STEP_MINUTES)
    await reads(inside)
    const { status, text } = await inside.ask('/livez')
    assert.equal(status, 503)
    assert.match(text, /^stuck: (the put of .*commit\.json|batch \d+) has not moved for \d+ s$/)
    assert.equal((await inside.ask('/readyz')).text, text, 'the reason is the same')
    letGo()
    await eventually(async () => (await inside.ask('/livez')).status === 200)
    assert.equal((await inside.ask('/readyz')).status, 200)
  })

  test('a store that fails again and again is no reason', async (t) => {
    const { rig, start } = await setUp(t)
    const inside = await start()
    await inside.streams()
    const tried = new Set<string>()
    inside.store.before = (operation, key) => {
      tried.add(`${operation} ${key}`)
      return Promise.reject(new Failure('store_away', 'the store is away'))
    }
    await rig.source.query(`INSERT INTO orders VALUES (1, 'x')`)
    await hoursPass(inside, async () => {
      await reads(inside)
      const failing = [...tried]
      assert.ok(failing.length > 0)
      tried.clear()
      await eventually(() => failing.every((call) => tried.has(call)), { timeoutMs: 90_000 })
    })
  })

  test('a server that is away is no reason', async (t) => {
    const { proxy, start } = await setUp(t)
    const inside = await start()
    await inside.streams()
    proxy.refuse()
    proxy.cut()
    await eventually(() => inside.service.status.state === 'waiting')
    const failures = async () => Number(/session_failures_total\{.*\} (\d+)/.exec(await inside.metrics.render())?.[1])
    await hoursPass(inside, async () => {
      const before = await failures()
      await eventually(async () => (await failures()) > before, { timeoutMs: 90_000 })
    })
    assert.equal((await inside.ask('/readyz')).status, 503)
  })

  test('a copy whose connection says nothing for ever is a reason, while the stream goes on', async (t) => {
    const { rig, proxy, start } = await setUp(t, { SNAPSHOT: 'initial', SNAPSHOT_WORKERS: '1', FLUSH_INTERVAL: '50ms' })
    await rig.source.query(`INSERT INTO orders SELECT g, repeat('x', 1000) FROM generate_series(1, 30000) AS g`)
    proxy.throttle(4_000_000, ['toClient'])
    const inside = await start()
    await inside.streams()
    const copies = await eventually(() => proxy.links.find(({ bytes }) => bytes.toClient > 1_000_000))
    copies.dark()
    const goesOn = async () => {
      await rig.source.query('INSERT INTO marks DEFAULT VALUES')
      await reads(inside)
    }
    // A part is waited for an hour.
    for (let passed = 0; passed < 60; passed += STEP_MINUTES) {
      assert.equal((await inside.ask('/livez')).status, 200, `after ${passed} minutes`)
      inside.pass(STEP_MINUTES)
      await goesOn()
    }
    inside.pass(STEP_MINUTES)
    await goesOn()
    const { status, text } = await inside.ask('/livez')
    assert.equal(status, 503)
    assert.match(text, /^stuck: the copy of public\.orders has not moved for \d+ s$/)
    copies.light()
    await eventually(async () => (await inside.ask('/livez')).status === 200)
  })
})
