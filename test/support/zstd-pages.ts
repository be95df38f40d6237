// hyparquet's decompressor for the pages of our files. Its own lays out and moves a window of megabytes for each page, because
// that is what the frame asks for; what is shorter needs no more than its own length.
import { decompress } from 'fzstd'
import type { Compressors } from 'hyparquet'

const FLAGS_AT = 4
const WITHOUT_WINDOW = 0x20
/** The exponent of the window, in the upper five bits; of 1 KiB it is 0. */
const WINDOW_AT = 5
const SMALLEST_WINDOW = 1024

export const compressors: Compressors = { ZSTD: (input, length) => decompress(withWindowFor(length, input)) }

/** The same frame; one that is longer than it says is decompressed all the same, as far as it does not look back beyond. */
function withWindowFor(length: number, frame: Uint8Array): Uint8Array {
  if ((frame[FLAGS_AT]! & WITHOUT_WINDOW) !== 0) return frame
  const exponent = Math.max(0, Math.ceil(Math.log2(length / SMALLEST_WINDOW)))
  if (frame[WINDOW_AT]! >> 3 <= exponent) return frame
  const changed = Uint8Array.from(frame)
  changed[WINDOW_AT] = exponent << 3
  return changed
}
