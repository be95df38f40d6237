// All that one run of the state machine is about: a database, a lake, the ways between, writers, processes, and those who
// watch. Opened for the run, brought to rest at its end, and gone with it.
import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import { AckWatch } from '../../support/ack-watch.js'
import { eventually } from '../../support/eventually.js'
import { GlobPoller } from '../../support/glob-poller.js'
import { lsn } from '../../support/lsn-text.js'
import type { PostgresServer } from '../../support/postgres.js'
import { makeRig, type Env, type Rig } from '../../support/rig.js'
import { S3Server } from '../../support/s3-server.js'
import { serverSource } from '../../support/server-source.js'
import { TcpProxy } from '../../support/tcp-proxy.js'
import { makeDecodingSlot } from '../../support/test-decoding.js'
import { Faults } from './faults.js'
import { Fleet } from './fleet.js'
import { SlotView } from './slot-view.js'
import type { Sequence, Size, Step, StoreKind } from './steps.js'
import { createTables, Names } from './tables.js'
import type { Totals } from './totals.js'
import { Writer } from './writer.js'

const WRITERS = 3
/** For all that was written, with two cores that others use too, and the program's longest pause between two tries. */
const CATCH_UP_MS = 120_000

export interface WorldOptions {
  readonly server: PostgresServer
  readonly sequence: Pick<Sequence, 'store' | 'settings'>
  readonly size: Size
  readonly totals: Totals
}

export class World {
  readonly rig: Rig
  readonly ackWatch: AckWatch
  readonly poller: GlobPoller
  /** Name of the slot that decodes the same log for us. */
  readonly oracleSlot: string
  readonly fleet: Fleet
  readonly #options: WorldOptions
  readonly #faults: Faults
  readonly #writers: readonly Writer[]
  readonly #slotView: SlotView

  private constructor(t: TestContext, rig: Rig, oracleSlot: string, ways: Ways, options: WorldOptions) {
    const { server, sequence, size, totals } = options
    this.rig = rig
    this.oracleSlot = oracleSlot
    this.#options = options
    this.fleet = new Fleet({ t, rig, env: ways.env, totals, firstSettings: sequence.settings })
    this.#slotView = new SlotView(rig.source.url, rig.slot)
    const { slot, bucket, folder } = rig
    this.ackWatch = new AckWatch(t, { slot, bucket, folder, confirmed: () => this.#slotView.confirmed() })
    this.#faults = new Faults({ rig, server, fleet: this.fleet, ackWatch: this.ackWatch, totals, ...ways })
    const writing = { url: rig.source.url, names: new Names(), bulkRows: size.bulkRows, totals }
    this.#writers = Array.from({ length: WRITERS }, () => new Writer(writing))
    this.poller = new GlobPoller(t, rig)
  }

  /** The first process streams, and nothing is written yet. */
  static async open(t: TestContext, options: WorldOptions): Promise<World> {
    const { server, sequence } = options
    const source = await serverSource(server, `run_${randomBytes(5).toString('hex')}`)
    const store = sequence.store === 'own' ? await ownStore(t) : undefined
    const rig = await makeRig(t, {
      source,
      lake: store?.back ?? (sequence.store === 'own' ? 'bucket' : sequence.store),
    })
    await createTables(source)
    const oracleSlot = `oracle_${rig.slot}`
    await makeDecodingSlot(source, oracleSlot)
    const world = new World(t, rig, oracleSlot, await openWays(t, server, rig, store?.front), options)
    await world.fleet.start().waitForLog('streaming', { timeoutMs: 60_000 })
    return world
  }

  async take(step: Step): Promise<void> {
    this.fleet.check()
    switch (step.do) {
      case 'write':
        return this.#writers[step.writer]!.write(step)
      case 'fault':
        return this.#faults.cause(step)
      case 'moment':
        await new Promise((resolve) => setTimeout(resolve, step.ms))
        return
      case 'catchUp':
        await this.#settle()
        return this.#caughtUp()
      case 'checkpoint': {
        this.#faults.onServer('CHECKPOINT')
        return
      }
      case 'switchWal': {
        this.#faults.onServer('SELECT pg_switch_wal()')
        return
      }
      default:
        step satisfies never
    }
  }

  /** All faults have ended, all is written and in the lake, and the last process has stopped in order. */
  async rest(): Promise<void> {
    await this.#settle()
    const began = performance.now()
    const troubled = (): boolean => this.#faults.troubledSince(began)
    // A request that hangs can hold up a stop for longer than it waits: then once more.
    for (let stopped = false; !stopped;) {
      await this.fleet.leaveOne(troubled)
      await this.#caughtUp()
      stopped = await this.fleet.terminate(this.fleet.choose(0), troubled)
    }
    this.fleet.check()
    await this.ackWatch.stop()
    await this.poller.stop()
  }

  async close(): Promise<void> {
    // A fault that could not be caused is not what a run that has failed should be told by.
    await this.#faults.settle().catch(() => undefined)
    await this.fleet.close()
    await Promise.all([...this.#writers, this.#slotView].map((connection) => connection.close()))
    const { source } = this.rig
    const database = new URL(source.url).pathname.slice(1)
    await eventually(async () => {
      await source.query(
        `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()`,
      )
      return true
    })
    const postgres = await serverSource(this.#options.server)
    await postgres.query(`DROP DATABASE "${database}" WITH (FORCE)`)
  }

  async #settle(): Promise<void> {
    await this.#faults.settle()
    await Promise.all(this.#writers.map((writer) => writer.settle()))
    // Of a connection that was lost between the two phases.
    const { source } = this.rig
    const prepared = await source.query<{ gid: string }>(
      'SELECT gid FROM pg_prepared_xacts WHERE database = current_database()',
    )
    for (const { gid } of prepared) await source.query(`COMMIT PREPARED '${gid}'`)
  }

  async #caughtUp(): Promise<void> {
    const { rig } = this
    const [row] = await rig.source.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn() AS lsn')
    const goal = lsn(row!.lsn)
    await rig.source.query('INSERT INTO marks DEFAULT VALUES')
    const passed = async (): Promise<boolean> => ((await this.#slotView.confirmed()) ?? 0n) > goal
    await this.fleet.until(`the slot to pass ${row!.lsn}`, passed, CATCH_UP_MS)
  }
}

interface Ways {
  readonly env: Env
  readonly link: TcpProxy
  readonly storeLink: TcpProxy | undefined
  readonly store: S3Server | undefined
}

/** The suite's own server twice over the same buckets: in front the program meets its faults, behind we look without any. */
async function ownStore(t: TestContext): Promise<{ front: S3Server; back: S3Server }> {
  const back = await S3Server.start()
  const front = await S3Server.start(back.objects)
  t.after(() => Promise.all([front.stop(), back.stop()]))
  return { front, back }
}

async function openWays(t: TestContext, server: PostgresServer, rig: Rig, front: S3Server | undefined): Promise<Ways> {
  const link = await TcpProxy.start(t, server.url)
  const url = new URL(link.through(rig.source.url))
  // Otherwise each connection begins with another one that only asks for encryption.
  url.searchParams.set('sslmode', 'disable')
  const endpoint = front?.endpoint ?? rig.bucket?.endpoint
  const storeLink = endpoint === undefined ? undefined : await TcpProxy.start(t, endpoint)
  const env = {
    PG_CONN_STRING: url.href,
    ...(storeLink === undefined || endpoint === undefined ? {} : { AWS_ENDPOINT: storeLink.through(endpoint) }),
  }
  return { env, link, storeLink, store: front }
}

export function lakeOf(store: StoreKind): string {
  return store === 'own' ? "the suite's S3 server" : store === 'bucket' ? 'a real store' : 'a folder'
}
