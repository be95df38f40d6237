// Brings the objects of a bucket into a folder, so that readers without S3 can read the lake. Only reads the bucket.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3'

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
