// The values of one leaf column, PLAIN-encoded as they come, without levels. The push methods are the hot path: no
// object per value, no 64-bit integer through a JavaScript number, growth checked once per doubling.
import type { BufferPool } from '../buffer-pool.js'
import { copyWords } from './copy-words.js'
import { HEAD_BYTES, PageValues } from './page-values.js'

/** A page closes when its values reach this size … */
export const PAGE_BYTES = 1 << 20
/** … or when it covers this many rows, which for 4, 8 and 16 bytes just fits a power of two with the head. */
export const PAGE_ROWS = 65_000
/** A page begins small: many tables may be open at once, with a row or two each. */
const FIRST_BYTES = 64

/** What the columns of one table share: where memory comes from, is a page full, how many bytes were taken in. */
export class Intake {
  readonly pool: BufferPool
  /** A column's page has reached its size: seal it after this row. */
  sealDue = false
  /** Bytes of variable-length values taken in so far; with the fixed widths it decides where files are cut. */
  variableBytes = 0

  constructor(pool: BufferPool) {
    this.pool = pool
  }
}

export abstract class LeafValues {
  readonly intake: Intake
  protected page: PageValues | undefined
  /** Values in the open page. */
  count = 0
  protected capacity = 0

  constructor(intake: Intake) {
    this.intake = intake
  }

  get openBytes(): number {
    return this.page?.buffer.length ?? 0
  }

  abstract get full(): boolean

  /** Makes room at once for `values` more, of `bytes` bytes together where each stands behind its length. */
  abstract reserve(values: number, bytes: number): void

  /** First byte after the last value. */
  protected abstract get end(): number

  /** The open page's values, PLAIN from HEAD_BYTES to `used`; whoever takes them releases them. */
  take(): PageValues {
    const page = this.page ?? new PageValues(this.intake.pool, HEAD_BYTES)
    page.used = this.end
    this.#reset()
    return page
  }

  discard(): void {
    this.page?.release()
    this.#reset()
  }

  /** Takes back every value after the first `count`. */
  abstract rewindTo(count: number): void

  #reset(): void {
    this.page = undefined
    this.count = 0
    this.capacity = 0
  }
}

abstract class FixedValues extends LeafValues {
  readonly #shift: number

  constructor(intake: Intake, shift: number) {
    super(intake)
    this.#shift = shift
  }

  get full(): boolean {
    return this.count >= PAGE_ROWS
  }

  protected get end(): number {
    return HEAD_BYTES + (this.count << this.#shift)
  }

  rewindTo(count: number): void {
    this.count = count
    this.capacity = count // the next push sees anew whether the page is full
  }

  reserve(values: number, _bytes: number): void {
    this.#makeRoom(values * (1 << this.#shift))
  }

  /** Called when `count` has reached `capacity`: where the buffer ends, and once where the page is full. */
  protected enlarge(): void {
    const page = this.#makeRoom(1 << this.#shift)
    if (this.full) this.intake.sealDue = true
    const room = (page.buffer.length - HEAD_BYTES) >> this.#shift
    this.capacity = this.full ? room : Math.min(room, PAGE_ROWS)
  }

  #makeRoom(bytes: number): PageValues {
    if (this.page === undefined) this.page = new PageValues(this.intake.pool, Math.max(FIRST_BYTES, HEAD_BYTES + bytes))
    else if (this.end + bytes > this.page.buffer.length) {
      this.page.used = this.end
      this.page.grow(bytes)
    }
    return this.page
  }
}

/** INT32 and FLOAT. */
export class Int32Values extends FixedValues {
  constructor(intake: Intake) {
    super(intake, 2)
  }

  /** A 32-bit integer, or the bits of a float. */
  push(value: number): void {
    if (this.count === this.capacity) this.enlarge()
    this.page!.ints[HEAD_BYTES / 4 + this.count++] = value
  }
}

/** INT64 and DOUBLE. */
export class Int64Values extends FixedValues {
  constructor(intake: Intake) {
    super(intake, 3)
  }

  /** The two halves of a 64-bit integer or of a double's bits, each as a 32-bit integer. */
  push(low: number, high: number): void {
    if (this.count === this.capacity) this.enlarge()
    const ints = this.page!.ints
    const at = HEAD_BYTES / 4 + this.count++ * 2
    ints[at] = low
    ints[at + 1] = high
  }
}

/** FIXED_LEN_BYTE_ARRAY(16). */
export class Fixed16Values extends FixedValues {
  constructor(intake: Intake) {
    super(intake, 4)
  }

  /** The 16 bytes at `source[start]`. */
  push(source: Uint8Array, start: number): void {
    if (this.count === this.capacity) this.enlarge()
    const buffer = this.page!.buffer
    const at = HEAD_BYTES + this.count++ * 16
    for (let k = 0; k < 16; k++) buffer[at + k] = source[start + k]!
  }
}

/** BOOLEAN: one byte a value while the page is open, bit-packed when it is taken. */
export class BooleanValues extends FixedValues {
  constructor(intake: Intake) {
    super(intake, 0)
  }

  push(value: boolean): void {
    if (this.count === this.capacity) this.enlarge()
    this.page!.buffer[HEAD_BYTES + this.count++] = value ? 1 : 0
  }

  override take(): PageValues {
    const count = this.count
    const page = super.take()
    const { buffer } = page
    // Packing in place: byte k of the result comes from bytes 8k to 8k+7, which lie at or after it.
    for (let k = 0; k < count; k += 8) {
      let bits = 0
      for (let bit = 0; bit < 8 && k + bit < count; bit++) bits |= buffer[HEAD_BYTES + k + bit]! << bit
      buffer[HEAD_BYTES + (k >> 3)] = bits
    }
    page.used = HEAD_BYTES + ((count + 7) >> 3)
    return page
  }
}

/** Copying word by word, with a look at each, beats the calls into the runtime for both up to about this length. */
const SHORT_COPY = 256
/** BYTE_ARRAY: each value behind its length in four bytes. */
export class BytesValues extends LeafValues {
  #used = HEAD_BYTES
  /** Where the value begins that is being written piece by piece. */
  #openAt = 0

  get full(): boolean {
    return this.#used >= PAGE_BYTES || this.count >= PAGE_ROWS
  }

  protected get end(): number {
    return this.#used
  }

  /** True where it has seen that all bytes are ASCII, which it sees of short values alone. */
  push(source: Buffer, start: number, end: number): boolean {
    const length = end - start
    const at = this.#used
    if (at + 4 + length > this.capacity) this.#enlarge(4 + length)
    this.page!.view.setInt32(at, length, true)
    this.#used = at + 4 + length
    this.intake.variableBytes += length
    if (++this.count === PAGE_ROWS) this.intake.sealDue = true
    if (length <= SHORT_COPY) return copyWords(source, start, end, this.page!, at + 4)
    source.copy(this.page!.buffer, at + 4, start, end)
    return false
  }

  pushString(value: string): void {
    const bytes = Buffer.from(value, 'utf8')
    this.push(bytes, 0, bytes.length)
  }

  /** Appends a value of `length` bytes, which the caller writes into `buffer` from the returned place on. */
  extend(length: number): number {
    this.beginValue()
    this.#need(length)
    const at = this.#used
    this.#used += length
    this.endValue()
    return at
  }

  /** The open page, until the next value comes. */
  get buffer(): Buffer {
    return this.page!.buffer
  }

  /** The same. */
  get view(): DataView {
    return this.page!.view
  }

  /** A value of a length that is not known yet: writeByte() and writeBytes() append to it, endValue() ends it. */
  beginValue(): void {
    this.#need(4)
    this.#openAt = this.#used
    this.#used += 4
  }

  /** Between beginValue() and endValue(). */
  get inValue(): boolean {
    return this.#openAt !== 0
  }

  writeByte(byte: number): void {
    this.#need(1)
    this.page!.buffer[this.#used++] = byte
  }

  writeBytes(source: Buffer, start: number, end: number): void {
    this.#need(end - start)
    if (end - start > SHORT_COPY) source.copy(this.page!.buffer, this.#used, start, end)
    else copyWords(source, start, end, this.page!, this.#used)
    this.#used += end - start
  }

  endValue(): void {
    const length = this.#used - this.#openAt - 4
    this.page!.buffer.writeUInt32LE(length, this.#openAt)
    this.#openAt = 0
    this.intake.variableBytes += length
    if (++this.count === PAGE_ROWS) this.intake.sealDue = true
  }

  reserve(values: number, bytes: number): void {
    this.#need(values * 4 + bytes)
  }

  override take(): PageValues {
    const page = super.take()
    this.#used = HEAD_BYTES
    return page
  }

  override discard(): void {
    super.discard()
    this.#used = HEAD_BYTES
    this.#openAt = 0
  }

  rewindTo(count: number): void {
    if (count === this.count) return
    const { buffer } = this.page!
    let at = HEAD_BYTES
    for (let k = 0; k < count; k++) at += 4 + buffer.readUInt32LE(at)
    for (let k = count, end = at; k < this.count; k++) {
      const length = buffer.readUInt32LE(end)
      this.intake.variableBytes -= length
      end += 4 + length
    }
    this.#used = at
    this.count = count
    this.capacity = at // the next push sees anew whether the page is full
  }

  #need(bytes: number): void {
    if (this.#used + bytes > this.capacity) this.#enlarge(bytes)
  }

  #enlarge(bytes: number): void {
    if (this.page === undefined) this.page = new PageValues(this.intake.pool, Math.max(FIRST_BYTES, HEAD_BYTES + bytes))
    else if (this.#used + bytes > this.page.buffer.length) {
      this.page.used = this.#used
      this.page.grow(bytes)
    }
    if (this.#used + bytes >= PAGE_BYTES) this.intake.sealDue = true
    // Stopping at PAGE_BYTES makes the push that crosses it come by here.
    const room = this.page.buffer.length
    this.capacity = this.#used + bytes >= PAGE_BYTES ? room : Math.min(room, PAGE_BYTES)
  }
}
