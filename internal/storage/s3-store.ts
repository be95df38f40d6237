// An object store over S3 or a service that speaks its protocol. Never retries (that would hide a conditional write that
// was won) and never logs.
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  type PutObjectCommandInput,
  type ServerSideEncryption,
  type StorageClass,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { Failure } from '../model/failure.js'
import type {
  ObjectDigest,
  ObjectStore,
  PutOptions,
  StageOptions,
  StoredObject,
  StoreSettings,
} from './object-store.js'
import { bucketSettings } from './s3-bucket-settings.js'
import { IDLE_TIMEOUT_MS, newS3Client, sending, type S3ClientOptions } from './s3-client.js'
import { s3Answer, s3Failure, type S3Place } from './s3-failure.js'
import {
  abortUnfinishedUploads,
  byteCount,
  completeUpload,
  PART_BYTES,
  partBytesOf,
  uploadParts,
  type UploadedParts,
} from './s3-uploads.js'
import { stoppedFailure, throwIfStopped } from './stopped.js'

/**
 * The end of a body lies in the system's buffers, and nothing is seen to move until it has gone: a link that eight uploads
 * share at 1 MB/s takes over a minute for a part. So bodies above this size are waited for longer …
 */
const LARGE_BODY_BYTES = 1024 * 1024
/** … by this factor. */
const LARGE_BODY_PATIENCE = 4
/** Pieces in which chunks are handed to the uploader, which copies what it was handed last into each part. */
const SLICE_BYTES = 256 * 1024

export interface S3StoreOptions extends S3ClientOptions {
  readonly bucket: string
  /** Prefix of every key inside the bucket, without slashes at its ends. */
  readonly namespace: string
  /** `AES256`, `aws:kms` … */
  readonly sse?: string
  readonly sseKmsKeyId?: string
  /** For data files only. */
  readonly storageClass?: string
  /** False only where the operator says that this is the only writer: then existence is checked before the write. */
  readonly conditionalWrites: boolean
}

type ObjectAttributes = Pick<PutObjectCommandInput, 'ServerSideEncryption' | 'SSEKMSKeyId' | 'StorageClass'>

export class S3Store implements ObjectStore {
  readonly location: string
  readonly #client: S3Client
  /** For large bodies. */
  readonly #uploader: S3Client
  readonly #options: S3StoreOptions
  readonly #place: S3Place
  readonly #root: string
  #proven = false

  /** Throws Failure `config` for an endpoint that is not a URL. Does not connect. */
  constructor(options: S3StoreOptions) {
    this.#options = options
    this.#root = options.namespace === '' ? '' : `${options.namespace}/`
    this.#place = { bucket: options.bucket, endpoint: endpointOrigin(options.endpoint) }
    this.location = `s3://${options.bucket}/${options.namespace}`
    this.#client = newS3Client(options)
    const { idleTimeoutMs = IDLE_TIMEOUT_MS } = options
    this.#uploader = newS3Client({ ...options, idleTimeoutMs: idleTimeoutMs * LARGE_BODY_PATIENCE })
  }

  async put(key: string, chunks: readonly Uint8Array[], options: PutOptions): Promise<'created' | 'exists'> {
    const doing = `write ${key}`
    throwIfStopped(options.signal, doing)
    const ifAbsent = options.ifAbsent === true
    if (ifAbsent && !this.#options.conditionalWrites && (await this.#isThere(key, options.signal))) return 'exists'
    const input: PutObjectCommandInput = {
      ...this.#address(key),
      ...this.#attributes(options.role),
      ...(ifAbsent && this.#options.conditionalWrites ? { IfNoneMatch: '*' } : {}),
    }
    const bytes = byteCount(chunks)
    try {
      if (bytes > PART_BYTES) await this.#putParts(input, chunks, bytes, options)
      else await this.#putWhole(input, chunks, options)
    } catch (error) {
      // Without the header in the request there was no condition to fail, and 412 is an answer to nothing.
      if (input.IfNoneMatch !== undefined && s3Answer(error).status === 412) return this.#proveExists()
      throw this.#failure(error, doing, options.signal)
    }
    this.#proven = true
    return 'created'
  }

  /** Each part is checked by the hash in its signature; S3 knows no SHA-256 of a whole that came in parts. */
  async stage(key: string, chunks: readonly Uint8Array[], options: StageOptions): Promise<string> {
    const { role, signal, onMoved = () => undefined } = options
    const doing = `stage ${key}`
    throwIfStopped(signal, doing)
    try {
      const target = { ...this.#address(key), ...this.#attributes(role) }
      const receipt: UploadedParts = await uploadParts(this.#clientFor(chunks), target, chunks, signal, onMoved)
      this.#proven = true
      return JSON.stringify(receipt)
    } catch (error) {
      throw this.#failure(error, doing, signal)
    }
  }

  async complete(key: string, receipt: string, options: { signal?: AbortSignal } = {}): Promise<'completed' | 'gone'> {
    const doing = `complete ${key}`
    throwIfStopped(options.signal, doing)
    try {
      const parts = JSON.parse(receipt) as UploadedParts
      // The store may take its time to put many parts together.
      await completeUpload(this.#uploader, this.#address(key), parts, options.signal)
      this.#proven = true
      return 'completed'
    } catch (error) {
      if (s3Answer(error).code !== 'NoSuchUpload') throw this.#failure(error, doing, options.signal)
      return (await this.#isThere(key, options.signal)) ? 'completed' : 'gone'
    }
  }

  async get(key: string, options: { lastBytes?: number; signal?: AbortSignal } = {}): Promise<Buffer | undefined> {
    const { lastBytes, signal } = options
    const doing = `read ${key}`
    throwIfStopped(signal, doing)
    try {
      const range = lastBytes === undefined ? {} : { Range: `bytes=-${lastBytes}` }
      const output = await this.#client.send(new GetObjectCommand({ ...this.#address(key), ...range }), sending(signal))
      const body = await output.Body!.transformToByteArray()
      this.#proven = true
      const content = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
      // A store may answer a range with the whole object.
      return lastBytes === undefined ? content : content.subarray(Math.max(0, content.length - lastBytes))
    } catch (error) {
      const { status, code } = s3Answer(error)
      // Not any 404: a proxy's, or versitygw's for an unknown access key, must not make the lake look empty.
      if (code === 'NoSuchKey') return undefined
      // No range fits an empty object.
      if (status === 416 && lastBytes !== undefined) return Buffer.alloc(0)
      throw this.#failure(error, doing, signal)
    }
  }

  async digest(key: string, { signal }: { signal?: AbortSignal } = {}): Promise<ObjectDigest | undefined> {
    const doing = `read ${key}`
    throwIfStopped(signal, doing)
    try {
      const output = await this.#client.send(new GetObjectCommand(this.#address(key)), sending(signal))
      const hash = createHash('sha256')
      let bytes = 0
      for await (const chunk of output.Body as Readable as AsyncIterable<Buffer>) {
        hash.update(chunk)
        bytes += chunk.length
      }
      this.#proven = true
      return { bytes, sha256: hash.digest('hex') }
    } catch (error) {
      if (s3Answer(error).code === 'NoSuchKey') return undefined
      throw this.#failure(error, doing, signal)
    }
  }

  async *list(
    prefix: string,
    options: { startAfter?: string; signal?: AbortSignal } = {},
  ): AsyncGenerator<StoredObject, void, undefined> {
    const { startAfter, signal } = options
    let next: string | undefined
    do {
      const page = await this.#page(prefix, startAfter, next, signal)
      for (const { Key: key, Size: bytes } of page.Contents ?? []) {
        if (key !== undefined) yield { key: key.slice(this.#root.length), bytes: bytes ?? 0 }
      }
      next = page.IsTruncated === true ? page.NextContinuationToken : undefined
    } while (next !== undefined)
  }

  async delete(key: string): Promise<void> {
    try {
      await this.#client.send(new DeleteObjectCommand(this.#address(key)))
    } catch (error) {
      if (s3Answer(error).code === 'NoSuchKey') return
      throw this.#failure(error, `delete ${key}`, undefined)
    }
  }

  async abandonUnfinished(prefix: string, isOurs: (key: string) => boolean): Promise<number> {
    const root = this.#root
    try {
      return await abortUnfinishedUploads(this.#client, this.#options.bucket, root + prefix, (key) =>
        isOurs(key.slice(root.length)),
      )
    } catch (error) {
      throw this.#failure(error, `abort unfinished uploads below ${prefix}`, undefined)
    }
  }

  async settings(): Promise<StoreSettings> {
    return bucketSettings(this.#client, this.#options.bucket)
  }

  close(): void {
    this.#client.destroy()
    this.#uploader.destroy()
  }

  async #putWhole(input: PutObjectCommandInput, chunks: readonly Uint8Array[], options: PutOptions): Promise<void> {
    const checksum =
      options.sha256 === undefined ? {} : { ChecksumSHA256: Buffer.from(options.sha256, 'hex').toString('base64') }
    const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
    await this.#clientFor(chunks).send(
      new PutObjectCommand({ ...input, ...checksum, Body: body }),
      sending(options.signal),
    )
  }

  /** Each part is checked by the hash in its signature; S3 knows no SHA-256 of a whole that came in parts. */
  async #putParts(
    input: PutObjectCommandInput,
    chunks: readonly Uint8Array[],
    bytes: number,
    { signal, onMoved }: PutOptions,
  ): Promise<void> {
    const controller = new AbortController()
    const upload = new Upload({
      client: this.#clientFor(chunks),
      // A buffer is sent as it lies; a stream is gathered into parts.
      params: {
        ...input,
        Body: chunks.length === 1 ? chunks[0]! : Readable.from(slices(chunks)),
        ContentLength: bytes,
      },
      partSize: partBytesOf(bytes),
      // Files go up beside each other; parts of one need not, and each would be another copy in memory.
      queueSize: 1,
      leavePartsOnError: false,
      abortController: controller,
    })
    upload.on('httpUploadProgress', () => onMoved?.())
    const abort = () => controller.abort(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    try {
      await upload.done()
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  #clientFor(chunks: readonly Uint8Array[]): S3Client {
    return byteCount(chunks) > LARGE_BODY_BYTES ? this.#uploader : this.#client
  }

  /** By reading a byte: the answer to a HEAD has no body, and so its 404 does not say what is missing. */
  async #isThere(key: string, signal: AbortSignal | undefined): Promise<boolean> {
    return (await this.get(key, { lastBytes: 1, ...(signal === undefined ? {} : { signal }) })) !== undefined
  }

  async #page(
    prefix: string,
    startAfter: string | undefined,
    next: string | undefined,
    signal: AbortSignal | undefined,
  ) {
    const doing = `list ${prefix}`
    throwIfStopped(signal, doing)
    try {
      const page = await this.#client.send(
        new ListObjectsV2Command({
          Bucket: this.#options.bucket,
          Prefix: this.#root + prefix,
          ...(next === undefined ? {} : { ContinuationToken: next }),
          ...(startAfter === undefined ? {} : { StartAfter: this.#root + startAfter }),
        }),
        sending(signal),
      )
      this.#proven = true
      return page
    } catch (error) {
      throw this.#failure(error, doing, signal)
    }
  }

  #address(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#options.bucket, Key: this.#root + key }
  }

  #attributes(role: PutOptions['role']): ObjectAttributes {
    const { sse, sseKmsKeyId, storageClass } = this.#options
    return {
      ...(sse === undefined ? {} : { ServerSideEncryption: sse as ServerSideEncryption }),
      ...(sseKmsKeyId === undefined ? {} : { SSEKMSKeyId: sseKmsKeyId }),
      ...(role === 'log' || storageClass === undefined ? {} : { StorageClass: storageClass as StorageClass }),
    }
  }

  #proveExists(): 'exists' {
    this.#proven = true
    return 'exists'
  }

  #failure(error: unknown, doing: string, signal: AbortSignal | undefined): Failure {
    if (signal?.aborted === true) return stoppedFailure(signal, doing)
    return s3Failure(error, doing, this.#place, this.#proven)
  }
}

/** For messages: without user, password, path and query. */
function endpointOrigin(endpoint: string | undefined): string | undefined {
  if (endpoint === undefined) return undefined
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new Failure('config', 'AWS_ENDPOINT is not an http:// or https:// URL', {
      hint: 'Set AWS_ENDPOINT to something like http://minio:9000, or unset it for AWS.',
    })
  }
  return url.origin
}

function* slices(chunks: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.byteLength; at += SLICE_BYTES) yield chunk.subarray(at, at + SLICE_BYTES)
  }
}
