// The memory behind buffers. The collector frees it some time after the last use: it sees small objects there and is in no
// hurry, and what it has not yet come to is held on top of everything that is counted. So it is told.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { MessageChannel } from 'node:worker_threads'

// What is sent to a closed port is thrown away, and a transferred buffer with it.
const { port1: nowhere, port2 } = new MessageChannel()
port2.close()
nowhere.unref()
// The engine compiles without looking whether a buffer is still there until the first one is given away; then it throws away all
// that it has compiled. Before anything is hot that costs nothing; later a tenth of the CPU of a million rows.
releaseMemory(Buffer.allocUnsafeSlow(8))

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as (options: { type: 'minor' | 'major' }) => void
setFlagsFromString('--no-expose-gc')

/** A young collection takes about a millisecond. */
const COLLECTED_EVERY_BYTES = 8 << 20
let youngBytes = 0

/**
 * Gives the memory of `buffer` back at once; it is empty afterwards. It must own its memory alone (allocUnsafeSlow), and
 * nothing may use it any more: no view, no write that is still under way.
 */
export function releaseMemory(buffer: Buffer): void {
  nowhere.postMessage(undefined, [buffer.buffer as ArrayBuffer])
}

/** Buffers of so many bytes together that others have made were used for a moment, and are not needed any more. */
export function noteYoungGarbage(bytes: number): void {
  youngBytes += bytes
  if (youngBytes < COLLECTED_EVERY_BYTES) return
  youngBytes = 0
  collect({ type: 'minor' })
}

/** Buffers that others have made and that have lived for longer are not needed any more. Takes tens of milliseconds. */
export function collectGarbage(): void {
  youngBytes = 0
  collect({ type: 'major' })
}
