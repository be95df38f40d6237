// Brings the objects of a bucket into a folder, so that readers without S3 can read the lake. Only reads the bucket.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CreateBucketCommand, GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3'

export interface LakeBucket {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
  readonly bucket: string
}

export class BucketCopy {
  readonly #client: S3Client
  readonly #bucket: string
  readonly #folder: string
  readonly #etags = new Map<string, string>()

  constructor({ endpoint, accessKeyId, secretAccessKey, region, bucket }: LakeBucket, folder: string) {
    const credentials = { accessKeyId, secretAccessKey }
    this.#client = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
    this.#bucket = bucket
    this.#folder = folder
  }

  /** Fetches what is new or has changed under `prefix`. */
  async refresh(prefix: string): Promise<void> {
    const pages = paginateListObjectsV2({ client: this.#client }, { Bucket: this.#bucket, Prefix: prefix })
    for await (const { Contents = [] } of pages) {
      await Promise.all(Contents.map(({ Key = '', ETag = '' }) => this.#fetch(Key, ETag)))
    }
  }

  close(): void {
    this.#client.destroy()
  }

  async #fetch(key: string, etag: string): Promise<void> {
    if (this.#etags.get(key) === etag) return
    const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key }))
    const path = join(this.#folder, key)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, (await Body?.transformToByteArray()) ?? '')
    this.#etags.set(key, etag)
  }
}

/** The program's settings for a bucket. */
export function bucketEnv({
  endpoint,
  accessKeyId,
  secretAccessKey,
  region,
  bucket,
}: LakeBucket): Readonly<Record<string, string>> {
  return {
    S3_BUCKET_NAME: bucket,
    AWS_ENDPOINT: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  }
}

export async function makeBucket({
  endpoint,
  accessKeyId,
  secretAccessKey,
  region,
  bucket,
}: LakeBucket): Promise<void> {
  const client = new S3Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true })
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket }))
  } finally {
    client.destroy()
  }
}
