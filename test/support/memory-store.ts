// An object store in memory with conditional puts, whose every step a test can hold back, fail, or answer twice. Keeps a
// record of what became visible in which order.
import { createHash } from 'node:crypto'
import type { ObjectDigest, ObjectStore, PutOptions, StoredObject } from '../../internal/storage/object-store.js'

export interface StoreEvent {
  readonly what: 'begins' | 'done'
  readonly operation: 'put' | 'stage' | 'complete' | 'get'
  readonly key: string
}

export class MemoryStore implements ObjectStore {
  readonly location = 'memory'
  readonly objects = new Map<string, Buffer>()
  /** By key: what no reader sees. */
  readonly staged = new Map<string, Buffer>()
  readonly events: StoreEvent[] = []
  /** Called before each operation takes effect; what it throws the operation throws. */
  before: (operation: StoreEvent['operation'], key: string) => Promise<void> = () => Promise.resolve()
  /** Puts of these keys take effect, then the answer is lost and the put is tried again. */
  losesAnswerOf: (key: string) => boolean = () => false
  /** Data files on their way now, and the most there ever were. */
  uploading = 0
  mostUploading = 0

  async put(key: string, chunks: readonly Uint8Array[], options: PutOptions): Promise<'created' | 'exists'> {
    this.events.push({ what: 'begins', operation: 'put', key })
    if (options.role === 'data') this.mostUploading = Math.max(this.mostUploading, ++this.uploading)
    try {
      await this.before('put', key)
    } finally {
      if (options.role === 'data') this.uploading--
    }
    let result = this.#store(key, chunks, options)
    if (this.losesAnswerOf(key)) result = this.#store(key, chunks, options)
    this.events.push({ what: 'done', operation: 'put', key })
    return result
  }

  async stage(key: string, chunks: readonly Uint8Array[]): Promise<string> {
    this.events.push({ what: 'begins', operation: 'stage', key })
    await this.before('stage', key)
    this.staged.set(key, Buffer.concat(chunks))
    this.events.push({ what: 'done', operation: 'stage', key })
    return `receipt of ${key}`
  }

  async complete(key: string, receipt: string): Promise<'completed' | 'gone'> {
    if (receipt !== `receipt of ${key}`) throw new Error(`not the receipt of ${key}: ${receipt}`)
    this.events.push({ what: 'begins', operation: 'complete', key })
    await this.before('complete', key)
    const content = this.staged.get(key)
    if (content !== undefined) this.objects.set(key, content)
    this.staged.delete(key)
    this.events.push({ what: 'done', operation: 'complete', key })
    return this.objects.has(key) ? 'completed' : 'gone'
  }

  async get(key: string, options: { lastBytes?: number } = {}): Promise<Buffer | undefined> {
    await this.before('get', key)
    const content = this.objects.get(key)
    return options.lastBytes === undefined ? content : content?.subarray(-options.lastBytes)
  }

  async digest(key: string): Promise<ObjectDigest | undefined> {
    const content = await this.get(key)
    if (content === undefined) return undefined
    return { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') }
  }

  async *list(prefix: string, options: { startAfter?: string } = {}): AsyncIterable<StoredObject> {
    await Promise.resolve()
    for (const key of [...this.objects.keys()].sort())
      if (key.startsWith(prefix) && key > (options.startAfter ?? ''))
        yield { key, bytes: this.objects.get(key)!.length }
  }

  delete(key: string): Promise<void> {
    this.objects.delete(key)
    return Promise.resolve()
  }

  abandonUnfinished(prefix: string, isOurs: (key: string) => boolean): Promise<number> {
    const abandoned = [...this.staged.keys()].filter((key) => key.startsWith(prefix) && isOurs(key))
    for (const key of abandoned) this.staged.delete(key)
    return Promise.resolve(abandoned.length)
  }

  close(): void {
    // Nothing is open.
  }

  /** Keys under a prefix, sorted. */
  keys(prefix = ''): string[] {
    return [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort()
  }

  #store(key: string, chunks: readonly Uint8Array[], { ifAbsent }: PutOptions): 'created' | 'exists' {
    if (ifAbsent === true && this.objects.has(key)) return 'exists'
    this.objects.set(key, Buffer.concat(chunks))
    return 'created'
  }
}
