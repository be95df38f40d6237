// The resident memory of a process as the kernel counts it, looked at while it runs.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { TestContext } from 'node:test'

const EVERY_MS = 50

export class MemoryWatch {
  #peakBytes = 0
  readonly #timer: NodeJS.Timeout

  constructor(t: TestContext, pid: number) {
    this.#timer = setInterval(() => void this.#look(pid), EVERY_MS)
    t.after(() => this.stop())
  }

  get peakBytes(): number {
    return this.#peakBytes
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #look(pid: number): Promise<void> {
    // Gone, or no Linux.
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
    const kib = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0)
    this.#peakBytes = Math.max(this.#peakBytes, kib * 1024)
  }
}

/** Why a test of memory cannot run here, false where it can: for its `skip`. */
export const memoryUncounted = existsSync('/proc/self/status')
  ? false
  : 'no /proc here that counts the peak of a process'

/** The most that a running process has had resident, as the kernel has counted it. */
export async function peakMemory(pid: number): Promise<number> {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]
  if (kib === undefined) throw new Error(`the kernel does not tell the peak of process ${pid}`)
  return Number(kib) * 1024
}
