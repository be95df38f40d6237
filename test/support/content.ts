// Content of objects, for tests of stores.
import { createHash } from 'node:crypto'

export function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

/** In so many chunks of unequal length. */
export function cut(content: Buffer, chunks: number): Buffer[] {
  const ends = Array.from({ length: chunks }, (_, index) => Math.floor(content.length * ((index + 1) / chunks) ** 2))
  return ends.map((end, index) => content.subarray(ends[index - 1] ?? 0, end))
}
