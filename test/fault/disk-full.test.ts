// LAKE_DIR on a disk that fills up, that can no longer be written, or that is gone: nothing is torn, nothing is written
// beside it, the process stays, and it goes on by itself when the disk is as it was (G1, G4, G11).
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { FolderStore } from '../../internal/storage/folder-store.js'
import { AckWatch } from '../support/ack-watch.js'
import { eventually } from '../support/eventually.js'
import { GlobPoller } from '../support/glob-poller.js'
import { healthProbe, type HealthProbe } from '../support/health.js'
import { auditLog } from '../support/log-audit.js'
import { createOrders, loadOrders, orders, RunningLoad } from '../support/orders.js'
import { walsenderOf } from '../support/proxied-rig.js'
import { makeRig, type Rig } from '../support/rig.js'
import type { LogLine, Service } from '../support/service.js'
import { mayMount, SmallDisk } from '../support/small-disk.js'
import { assertLakeIsTable } from '../support/table-comparison.js'

const DISK_MIB = 8
const BALLAST_MIB = 7
/** A file for each upload, and one for each record that is written at the same time. */
const MOST_TEMPORARY = 12

const mounting = await mayMount()
const skip = mounting === 'never' ? 'neither mount nor unshare is allowed here' : false

interface Setting {
  readonly rig: Rig
  readonly disk: SmallDisk
  readonly service: Service
  readonly probe: HealthProbe
}

function onSmallDisk(name: string, body: (t: TestContext, setting: Setting) => Promise<void>): void {
  test(name, { skip }, async (t) => {
    const rig = await makeRig(t, { lake: 'folder' })
    await createOrders(rig.source)
    await SmallDisk.under(rig.folder!, DISK_MIB, async (disk) => {
      const probe = await healthProbe()
      const service = await rig.stream({ ...probe.env, FLUSH_INTERVAL: '50ms' })
      await rig.caughtUp(service)
      await body(t, { rig, disk, service, probe })
      assert.equal(await service.stop(), 0)
      assert.deepEqual(await temporaryFiles(rig), [])
      const { commits, files, rows } = await auditLog(rig.lake, rig.slot)
      const { changes } = await assertLakeIsTable(rig.source.url, rig.lake, orders)
      t.diagnostic(`${commits.length} batches, ${files.length} files, ${rows} rows (${changes} changes of orders)`)
    })
  })
}

async function temporaryFiles(rig: Rig): Promise<string[]> {
  return readdir(join(rig.folder!, '.wal-cake-tmp'))
}

/** Waits until /readyz says why, and that a restart would not help. */
async function notReady({ service, probe }: Setting, why: RegExp): Promise<void> {
  const health = await service.waitFor('/readyz to say so', async () => {
    const asked = await probe.ask()
    return asked.ready ? undefined : asked
  })
  assert.match(health.reason, why)
  assert.equal(health.live, true)
}

if (mounting === 'in a namespace' && process.env.IN_NAMESPACE === undefined) {
  const reason = process.env.TEST_PG_URL === undefined ? 'needs a server outside of the namespace' : false
  test('LAKE_DIR on a small disk, in a namespace of its own', { skip: reason }, () => {
    const args = ['--map-root-user', '--mount', process.execPath, ...process.execArgv, fileURLToPath(import.meta.url)]
    const { status, stdout } = spawnSync('unshare', args, {
      env: { ...process.env, IN_NAMESPACE: 'yes', NODE_TEST_CONTEXT: undefined },
      encoding: 'utf8',
    })
    assert.equal(status, 0, stdout)
  })
} else {
  onSmallDisk('G1 G4 G11: the disk fills up in the middle of a load, and has room again', async (t, setting) => {
    const { rig, disk, service } = setting
    const walsender = await walsenderOf(rig)
    const [acks, poller] = [new AckWatch(t, rig), new GlobPoller(t, rig)]
    await disk.fill(BALLAST_MIB)
    const load = new RunningLoad(t, rig.source, 70)
    const full = (line: LogLine) => line.msg === 'store: will try again' && JSON.stringify(line).includes('ENOSPC')
    await service.waitForLog(full, { timeoutMs: 60_000 })
    let most = 0
    const counting = setInterval(() => {
      void temporaryFiles(rig).then(({ length }) => (most = Math.max(most, length)))
    }, 20)
    t.after(() => clearInterval(counting))
    await load.stop()
    await notReady(setting, /the store has been failing for \d+ s: cannot write .*ENOSPC/)
    // What lies there is whole, with the disk still full.
    await rig.lake.noDoubles()
    assert.ok((await rig.lake.commits(rig.slot)).length > 0)
    clearInterval(counting)

    await disk.free()
    await rig.caughtUp(service)
    // Readers' head.json may still wait for its next attempt when the slot has moved already.
    await service.waitForLog('store: recovered', { timeoutMs: 60_000 })
    assert.deepEqual(await setting.probe.ask(), { ready: true, live: true, reason: 'streaming' })
    assert.equal(await walsenderOf(rig), walsender, 'the link stayed up')
    assert.deepEqual(service.logged('will try again'), [], 'no session has failed')
    assert.equal(service.logged('store: recovered').length, 1)
    await acks.stop()
    await poller.stop()
    assert.deepEqual([...acks.faults, ...poller.faults, poller.failedLooks], [0])
    assert.ok(most <= MOST_TEMPORARY, `${most} temporary files at once`)
    t.diagnostic(`full for a while: ${most} temporary files at most; read whole ${poller.looks} times`)
  })

  onSmallDisk('G11: the disk becomes read-only, and can be written again', async (_, setting) => {
    const { rig, disk, service } = setting
    await eventually(() => disk.remount('ro').then(() => true))
    await loadOrders(rig.source, { transactions: 5, rowsPerTransaction: 100 })
    const failed = (): { kind: string }[] =>
      service.logged('will try again').map((line) => line.err as { kind: string })
    await service.waitFor('the second failure', () => failed().length === 2)
    assert.deepEqual(new Set(failed().map(({ kind }) => kind)), new Set(['config']))
    await notReady(setting, /EROFS/)
    await disk.remount('rw')
    await rig.caughtUp(service)
    assert.deepEqual(await setting.probe.ask(), { ready: true, live: true, reason: 'streaming' })
    assert.equal(service.logged('recovered: streaming again').length, 1)
  })

  onSmallDisk(
    'G4 G11: the disk is unmounted and mounted again; nothing is written where it was',
    async (_, setting) => {
      const { rig, disk, service } = setting
      await disk.takeAway()
      await loadOrders(rig.source, { transactions: 5, rowsPerTransaction: 100 })
      await service.waitForLog((line) => line.msg === 'store: will try again' && line.attempt === 4)
      assert.deepEqual(await readdir(rig.folder!), [], 'the folder below the disk')
      await disk.bringBack()
      await rig.caughtUp(service)
    },
  )

  test('G11: what is staged outlasts a disk that is full, read-only or gone, and leaves nothing half', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'wal-cake-staging-'))
    t.after(() => rm(folder, { recursive: true }))
    await SmallDisk.under(folder, DISK_MIB, async (disk) => {
      const store = await FolderStore.open({ folder, namespace: 'n' })
      const files = async (): Promise<string[]> => {
        const entries = await readdir(folder, { recursive: true, withFileTypes: true })
        return entries.filter((entry) => entry.isFile() && entry.name !== 'ballast').map(({ name }) => name)
      }
      const content = randomBytes(2 << 20)
      await disk.fill(BALLAST_MIB)
      await assert.rejects(store.stage('data/a', [content], { role: 'data' }), {
        kind: 'store_away',
        message: /cannot stage data\/a .*ENOSPC/,
      })
      assert.deepEqual(await files(), [])
      await disk.free()
      const receipt = await store.stage('data/a', [content], { role: 'data' })
      // Completing takes no room for content; what is missing is the right to write.
      await disk.remount('ro')
      await assert.rejects(store.complete('data/a', receipt), { kind: 'config', message: /EROFS/ })
      assert.equal(await store.get('data/a'), undefined)
      await disk.takeAway()
      await assert.rejects(store.complete('data/a', receipt), { kind: 'store_away' })
      assert.deepEqual(await readdir(folder), [], 'the folder below the disk')
      await disk.bringBack()
      assert.equal(await store.complete('data/a', receipt), 'completed')
      assert.ok((await store.get('data/a'))?.equals(content))
      assert.deepEqual(await files(), ['a'])
    })
  })
}
