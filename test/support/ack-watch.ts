// Watches from outside, while the program runs, that the slot never stands above the newest commit in the lake (G1). Asks
// the slot first and the lake second: what the lake holds can only have grown in between, so a slot above it is a fault.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { lsn } from './lsn-text.js'
import type { Rig } from './rig.js'

/** Pause between two looks; at least so many times as long as the look took, so that watching does not become the load. */
const EVERY_MS = 50
const PAUSE_PER_LOOK = 5

/** What of a rig it needs. `confirmed` may say undefined where the slot cannot be asked for at the moment. */
export type WatchedRig = Pick<Rig, 'slot' | 'bucket' | 'folder' | 'confirmed'>

export class AckWatch {
  /** Comparisons that were made. */
  looks = 0
  /** Of these, how often the slot had moved since the one before. */
  moves = 0
  /** How often the slot had gone back after a crash of the server. */
  stepsBack = 0
  readonly faults: string[] = []
  readonly #rig: WatchedRig
  readonly #commits: Promise<NewestCommit>
  readonly #running: Promise<void>
  #stopped = false
  #away = false
  #looking: Promise<void> | undefined
  #mayStepBack = false
  #created: bigint | undefined
  #last = 0n

  constructor(t: TestContext, rig: WatchedRig) {
    this.#rig = rig
    const log = `default/_wal_cake/${rig.slot}/log/`
    this.#commits = commitsUnder(rig, log)
    this.#running = this.#watch()
    // stop() tells what went wrong; a test that failed before must not leave the watch running.
    this.#running.catch(() => undefined)
    t.after(() => (this.#stopped = true))
  }

  /** Where the slot was seen last. */
  get seen(): bigint {
    return this.#last
  }

  /**
   * Does not look while `outage` runs, in which the server goes and comes back. It saves its slots at checkpoints, also the
   * one of an orderly shutdown, and not whenever they move: so after a crash, and only at the first look after it, the slot
   * may stand where it stood before.
   */
  async lookAway(how: 'shutdown' | 'crash', outage: () => Promise<void>): Promise<void> {
    this.#away = true
    await this.#looking?.catch(() => undefined)
    await outage()
    this.#mayStepBack = how === 'crash'
    this.#away = false
  }

  /** Ends the watch. Throws what went wrong with it. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
    const { close } = await this.#commits
    close()
  }

  async #watch(): Promise<void> {
    while (!this.#stopped) {
      const from = performance.now()
      if (!this.#away) await (this.#looking = this.#look())
      await delay(Math.max(EVERY_MS, PAUSE_PER_LOOK * (performance.now() - from)))
    }
  }

  async #look(): Promise<void> {
    const confirmed = await this.#rig.confirmed()
    if (confirmed === undefined) return
    // Before the first commit the slot stands where it was created.
    this.#created ??= confirmed
    const end = (await (await this.#commits).newestEnd()) ?? this.#created
    this.looks++
    if (confirmed > this.#last) this.moves++
    if (confirmed < this.#last) {
      if (this.#mayStepBack) this.stepsBack++
      else this.faults.push(`the slot went back from ${this.#last} to ${confirmed}`)
    }
    this.#mayStepBack = false
    if (confirmed > end) this.faults.push(`the slot stands at ${confirmed}, the lake ends at ${end}`)
    this.#last = confirmed
  }
}

export interface NewestCommit {
  readonly newestEnd: () => Promise<bigint | undefined>
  readonly close: () => void
}

async function commitsUnder({ bucket, folder }: WatchedRig, log: string): Promise<NewestCommit> {
  if (bucket === undefined) return folderReader(join(folder!, log))
  const { bucketCommits } = await import('./bucket-readers.js')
  return bucketCommits(bucket, log)
}

export function endOf(commit: string): bigint {
  return lsn((JSON.parse(commit) as { end_lsn: string }).end_lsn)
}

function folderReader(folder: string): NewestCommit {
  return {
    newestEnd: async () => {
      const names = await readdir(folder).catch(() => [])
      const newest = names
        .filter((name) => name.endsWith('.commit.json'))
        .sort()
        .at(-1)
      return newest === undefined ? undefined : endOf(await readFile(join(folder, newest), 'utf8'))
    },
    close: () => undefined,
  }
}
