// What the product needs of an object store, and nothing more: whole objects, created atomically, never half visible.
// Implementations hide how (single PUT, multipart upload, link and rename). Only RetryingStore tries anything again.

export interface StoredObject {
  readonly key: string
  readonly bytes: number
}

export interface ObjectDigest {
  readonly bytes: number
  readonly sha256: string
}

export interface PutOptions {
  /** Create only where no object has this key (`If-None-Match: *`). */
  readonly ifAbsent?: boolean
  /** SHA-256 of the whole content, hexadecimal, where the caller has it: lets the store check what arrived. */
  readonly sha256?: string
  /** Data files take the configured encryption and storage class; records of the log take only the encryption. */
  readonly role: 'data' | 'log'
  readonly signal?: AbortSignal
  /** Called each time a part of the content has arrived, where it goes in parts. */
  readonly onMoved?: () => void
}

export type StageOptions = Omit<PutOptions, 'ifAbsent'>

/** For people; undefined for what the store does not tell. */
export interface StoreSettings {
  /** By which objects are encrypted that do not ask for it themselves; `none`. */
  readonly encryption: string | undefined
  /** `Enabled`, `Suspended` or `off`. */
  readonly versioning: string | undefined
}

/**
 * Keys are relative to the namespace, `/`-separated, already percent-encoded. Every method throws Failure: `store_away`
 * for what may pass by itself, `config` for what a person has to mend (no such bucket, access denied), and once a signal
 * has fired its reason if that is a Failure, else `gave_up`.
 */
export interface ObjectStore {
  /** For logs and errors: `s3://bucket/prefix` or the folder. */
  readonly location: string
  /**
   * Writes the concatenation of `chunks` as one object; visible whole or not at all, durable when the promise resolves.
   * With `ifAbsent`, `exists` says that some object has the key, be it one that an earlier try of this very call made.
   */
  put(key: string, chunks: readonly Uint8Array[], options: PutOptions): Promise<'created' | 'exists'>
  /**
   * Writes the content, which must not be empty, where no other method sees it, durable when the promise resolves. Returns
   * a receipt: text with which this or any later process can complete it. `key` must never have been and never be used
   * for anything else: the caller puts chance into it.
   */
  stage(key: string, chunks: readonly Uint8Array[], options: StageOptions): Promise<string>
  /**
   * Makes what was staged with this receipt the object `key`, visible whole and durable when the promise resolves. Twice,
   * also at the same moment in two processes, is harmless. `gone`: neither is anything staged nor is there such an object.
   */
  complete(key: string, receipt: string, options?: { signal?: AbortSignal }): Promise<'completed' | 'gone'>
  /** The content, or undefined where there is no such object. `lastBytes` reads at most that many from the end. */
  get(key: string, options?: { lastBytes?: number; signal?: AbortSignal }): Promise<Buffer | undefined>
  /** Length and SHA-256 (hexadecimal) of the content without holding it, or undefined where there is no such object. */
  digest(key: string, options?: { signal?: AbortSignal }): Promise<ObjectDigest | undefined>
  /** Objects whose key starts with `prefix`, in byte order of keys, after `startAfter` if given. */
  list(prefix: string, options?: { startAfter?: string; signal?: AbortSignal }): AsyncIterable<StoredObject>
  /** Removes the object if it is there. For probes, requests and answers: data, plans and commits are never deleted. */
  delete(key: string): Promise<void>
  /**
   * Throws away what earlier runs have begun to write, or staged and not completed, under keys below `prefix` that `isOurs`
   * accepts; nobody can see it. Returns how many there were. Only for whoever holds the slot: it ends uploads that are still
   * under way.
   */
  abandonUnfinished(prefix: string, isOurs: (key: string) => boolean): Promise<number>
  /** Of the place that the objects are in; absent where there are none. Never throws. */
  settings?(): Promise<StoreSettings>
  close(): void
}
