// What those who watch a lake from outside ask of a bucket: apart from them, because the SDK takes a while to load and a
// folder needs none of it.
import { GetObjectCommand, ListObjectsV2Command, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3'
import { endOf, type NewestCommit } from './ack-watch.js'
import type { DataFiles } from './glob-poller.js'
import type { LakeBucket } from './lake-bucket.js'

function clientOf({ endpoint, accessKeyId, secretAccessKey, region }: LakeBucket): S3Client {
  return new S3Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true })
}

/** Lists only what came after the newest commit it knows. */
export function bucketCommits(lake: LakeBucket, prefix: string): NewestCommit {
  const { bucket } = lake
  const client = clientOf(lake)
  let newest = prefix
  let end: bigint | undefined
  return {
    newestEnd: async () => {
      const { Contents = [] } = await client.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, StartAfter: newest }),
      )
      const key = Contents.map(({ Key = '' }) => Key)
        .filter((name) => name.endsWith('.commit.json'))
        .sort()
        .at(-1)
      if (key === undefined) return end
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
      newest = key
      end = endOf((await Body?.transformToString()) ?? '')
      return end
    },
    close: () => client.destroy(),
  }
}

/** Data files below `prefix`. */
export function bucketFiles(lake: LakeBucket, prefix: string): DataFiles {
  const { bucket } = lake
  const client = clientOf(lake)
  return {
    list: async () => {
      const listed = new Map<string, string>()
      for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix }))
        for (const { Key = '', ETag = '', LastModified } of Contents)
          if (Key.endsWith('.parquet'))
            listed.set(Key.slice(prefix.length), `${ETag} ${LastModified?.toISOString() ?? ''}`)
      return listed
    },
    read: async (key) => {
      const command = new GetObjectCommand({ Bucket: bucket, Key: prefix + key })
      const answer = await client.send(command).catch((error: unknown) => {
        if ((error as Error).name === 'NoSuchKey') return undefined
        throw error
      })
      return answer?.Body?.transformToByteArray()
    },
    close: () => client.destroy(),
  }
}
