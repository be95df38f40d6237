// What a bucket says of itself. Nothing depends on it: rights that the service does not need may be missing, and not every service knows
// the question.
import { GetBucketEncryptionCommand, GetBucketVersioningCommand, type S3Client } from '@aws-sdk/client-s3'
import type { StoreSettings } from './object-store.js'
import { s3Answer } from './s3-failure.js'

const NO_ENCRYPTION = 'ServerSideEncryptionConfigurationNotFoundError'

/** Undefined for what it does not tell. */
export async function bucketSettings(client: S3Client, bucket: string): Promise<StoreSettings> {
  const [encryption, versioning] = await Promise.all([
    client.send(new GetBucketEncryptionCommand({ Bucket: bucket })).then(
      ({ ServerSideEncryptionConfiguration: found }) =>
        found?.Rules?.[0]?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm ?? 'none',
      (error: unknown) => (s3Answer(error).code === NO_ENCRYPTION ? 'none' : undefined),
    ),
    client.send(new GetBucketVersioningCommand({ Bucket: bucket })).then(
      ({ Status: status }) => status ?? 'off',
      () => undefined,
    ),
  ])
  return { encryption, versioning }
}
