// Multipart uploads: content sent in parts that nobody sees, made an object by this or a later process, or thrown away.
// Throws the SDK's errors.
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  UploadPartCommand,
  type CreateMultipartUploadCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3'
import { sending } from './s3-client.js'

/** While an object goes up in parts, one part of it is held a second time. */
export const PART_BYTES = 8 * 1024 * 1024
/** S3's limit; a larger object gets larger parts. */
const MAX_PARTS = 10_000

export interface Address {
  readonly Bucket: string
  readonly Key: string
}

/** An upload whose parts are all there: what it takes to complete it. */
export interface UploadedParts {
  readonly uploadId: string
  /** Of the parts, in their order. */
  readonly etags: readonly string[]
}

/** Sends the content, which is not empty, part after part. What has failed is aborted, where the store lets us. */
export async function uploadParts(
  client: S3Client,
  target: CreateMultipartUploadCommandInput & Address,
  chunks: readonly Uint8Array[],
  signal: AbortSignal | undefined,
  onMoved: () => void,
): Promise<UploadedParts> {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(target), sending(signal))
  const { Bucket, Key } = target
  const etags: string[] = []
  try {
    for (const Body of partsOf(chunks)) {
      const part = { Bucket, Key, UploadId, PartNumber: etags.length + 1, Body }
      const { ETag } = await client.send(new UploadPartCommand(part), sending(signal))
      etags.push(ETag!)
      onMoved()
    }
  } catch (error) {
    const aborted = abort(client, { Bucket, Key }, UploadId!).catch(() => undefined)
    // Whoever stops does not wait for a store that may be silent.
    if (signal?.aborted !== true) await aborted
    throw error
  }
  return { uploadId: UploadId!, etags }
}

/** Makes the parts an object. Throws `NoSuchUpload` also where that has been done before. */
export async function completeUpload(
  client: S3Client,
  address: Address,
  { uploadId, etags }: UploadedParts,
  signal: AbortSignal | undefined,
): Promise<void> {
  const Parts = etags.map((ETag, index) => ({ ETag, PartNumber: index + 1 }))
  const input = { ...address, UploadId: uploadId, MultipartUpload: { Parts } }
  await client.send(new CompleteMultipartUploadCommand(input), sending(signal))
}

/**
 * Aborts the unfinished uploads below `prefix` (a whole key's beginning in the bucket) whose key `isOurs` accepts, and
 * returns how many there were. One that ends by itself meanwhile does no harm.
 */
export async function abortUnfinishedUploads(
  client: S3Client,
  bucket: string,
  prefix: string,
  isOurs: (key: string) => boolean,
): Promise<number> {
  let aborted = 0
  let after: { KeyMarker?: string; UploadIdMarker?: string } = {}
  for (;;) {
    const page = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...after }))
    for (const { Key: key, UploadId: id } of page.Uploads ?? []) {
      if (key === undefined || id === undefined || !isOurs(key)) continue
      await abort(client, { Bucket: bucket, Key: key }, id).catch(ifGone)
      aborted++
    }
    if (page.IsTruncated !== true) return aborted
    after = {
      ...(page.NextKeyMarker === undefined ? {} : { KeyMarker: page.NextKeyMarker }),
      ...(page.NextUploadIdMarker === undefined ? {} : { UploadIdMarker: page.NextUploadIdMarker }),
    }
  }
}

async function abort(client: S3Client, address: Address, uploadId: string): Promise<void> {
  await client.send(new AbortMultipartUploadCommand({ ...address, UploadId: uploadId }))
}

function ifGone(error: unknown): void {
  if ((error as Error).name !== 'NoSuchUpload') throw error
}

export function byteCount(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0)
}

/** Of all but the last part of an object of so many bytes. */
export function partBytesOf(bytes: number): number {
  return Math.max(PART_BYTES, Math.ceil(bytes / MAX_PARTS))
}

/** Copies only parts that lie in several chunks. */
function* partsOf(chunks: readonly Uint8Array[]): Generator<Uint8Array> {
  const partBytes = partBytesOf(byteCount(chunks))
  let pieces: Uint8Array[] = []
  let missing = partBytes
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.byteLength;) {
      const piece = chunk.subarray(at, at + missing)
      pieces.push(piece)
      at += piece.byteLength
      missing -= piece.byteLength
      if (missing > 0) continue
      yield joined(pieces)
      pieces = []
      missing = partBytes
    }
  }
  if (pieces.length > 0) yield joined(pieces)
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
}
