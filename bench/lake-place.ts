// Where a bench lets the program write its lake: a folder, or a bucket of a real store.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bucketEnv, BucketCopy, type LakeBucket } from '../test/support/lake-bucket.js'
import type { TestStore } from '../test/support/s3-stores.js'
import { committed } from './measuring.js'

export interface LakePlace {
  /** The program's settings for it. */
  readonly env: Readonly<Record<string, string>>
  /** Rows and bytes of Parquet that its commits list. */
  written(): Promise<{ rows: number; bytes: number }>
  remove(): Promise<void>
}

export async function folderPlace(): Promise<LakePlace & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'wal-cake-bench-'))
  return {
    folder,
    env: { LAKE_DIR: folder },
    written: () => committed(folder),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

/** What it holds stays until the store is stopped. */
export async function bucketPlace(store: TestStore): Promise<LakePlace & { readonly bucket: LakeBucket }> {
  const { endpoint, accessKeyId, secretAccessKey, region } = store
  const bucket = { endpoint, accessKeyId, secretAccessKey, region, bucket: `bench-${randomBytes(5).toString('hex')}` }
  await store.makeBucket(bucket.bucket)
  return { bucket, env: bucketEnv(bucket), written: () => writtenInto(bucket), remove: () => Promise.resolve() }
}

async function writtenInto(bucket: LakeBucket): Promise<{ rows: number; bytes: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'wal-cake-bench-'))
  const copy = new BucketCopy(bucket, folder)
  try {
    await copy.refresh('default/')
    return await committed(folder)
  } finally {
    copy.close()
    await rm(folder, { recursive: true, force: true })
  }
}
