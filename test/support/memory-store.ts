// An object store in memory with conditional puts, whose every step a test can hold back, fail, or answer twice. Keeps a
// record of what became visible in which order.
import { createHash } from 'node:crypto'
import type { ObjectDigest, ObjectStore, PutOptions, StoredObject } from '../../internal/storage/object-store.js'

export interface StoreEvent {
  readonly what: 'begins' | 'done'
  readonly operation: 'put' | 'get'
  readonly key: string
}

export class MemoryStore implements ObjectStore {
  readonly location = 'memory'
  readonly objects = new Map<string, Buffer>()
  readonly events: StoreEvent[] = []
  /** Called before each operation takes effect; what it throws the operation throws. */
  before: (operation: 'put' | 'get', key: string) => Promise<void> = () => Promise.resolve()
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

  abandonUnfinished(): Promise<number> {
    return Promise.resolve(0)
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
