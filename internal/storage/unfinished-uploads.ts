// Multipart uploads that were begun and never completed: nobody sees them, but they are kept and paid for. Aborts those that
// a caller knows to be its own.
import { AbortMultipartUploadCommand, ListMultipartUploadsCommand, type S3Client } from '@aws-sdk/client-s3'

/**
 * Aborts the unfinished uploads below `prefix` (a whole key's beginning in the bucket) whose key `isOurs` accepts, and
 * returns how many there were. One that ends by itself meanwhile does no harm. Throws the SDK's errors.
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
      await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: id })).catch(ifGone)
      aborted++
    }
    if (page.IsTruncated !== true) return aborted
    after = {
      ...(page.NextKeyMarker === undefined ? {} : { KeyMarker: page.NextKeyMarker }),
      ...(page.NextUploadIdMarker === undefined ? {} : { UploadIdMarker: page.NextUploadIdMarker }),
    }
  }
}

function ifGone(error: unknown): void {
  if ((error as Error).name !== 'NoSuchUpload') throw error
}
