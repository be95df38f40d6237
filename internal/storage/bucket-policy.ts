// The rights that S3Store needs in a bucket, as a policy of AWS: exactly the actions of the requests that it makes, below its own
// prefix. Text, no connection.

export interface PolicyPlace {
  /** A name, or the ARN of an access point. */
  readonly bucket: string
  readonly namespace: string
  readonly region?: string
  /** Id, alias or ARN. */
  readonly kmsKeyId?: string
}

interface Statement {
  readonly Sid: string
  readonly Effect: 'Allow'
  readonly Action: readonly string[]
  readonly Resource: string
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

export interface Policy {
  readonly Version: '2012-10-17'
  readonly Statement: readonly Statement[]
}

export function bucketPolicy({ bucket, namespace, region, kmsKeyId }: PolicyPlace): Policy {
  const partition = partitionOf(region)
  const isAccessPoint = bucket.startsWith('arn:')
  const arn = isAccessPoint ? bucket : `arn:${partition}:s3:::${bucket}`
  const objects = `${arn}${isAccessPoint ? '/object' : ''}/${namespace}/*`
  return {
    Version: '2012-10-17',
    Statement: [
      allow('Objects', ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'], objects),
      // Also lets a read of what is not there be answered with 404 instead of 403, which the service has to tell apart.
      {
        ...allow('List', ['s3:ListBucket'], arn),
        Condition: { StringLike: { 's3:prefix': `${namespace}/*` } },
      },
      // AWS knows no prefix for this one.
      allow('Uploads', ['s3:ListBucketMultipartUploads'], arn),
      ...(kmsKeyId === undefined ? [] : [keyStatement(kmsKeyId, partition, region)]),
    ],
  }
}

/** What goes up in parts is read again by S3 itself, so that writing takes both rights. */
function keyStatement(key: string, partition: string, region = '*'): Statement {
  const statement = (resource: string): Statement => allow('Key', ['kms:GenerateDataKey', 'kms:Decrypt'], resource)
  const arn = key.startsWith('arn:')
    ? key
    : `arn:${partition}:kms:${region}:*:${key.includes('/') ? key : `key/${key}`}`
  const [place, alias] = arn.split(':alias/')
  if (alias === undefined) return statement(arn)
  // A policy that names an alias as a resource is one for the alias, not for its key.
  const Condition = { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': `alias/${alias}` } }
  return { ...statement(`${place!}:key/*`), Condition }
}

function allow(Sid: string, Action: readonly string[], Resource: string): Statement {
  return { Sid, Effect: 'Allow', Action, Resource }
}

function partitionOf(region: string | undefined): string {
  if (region?.startsWith('cn-') === true) return 'aws-cn'
  return region?.startsWith('us-gov-') === true ? 'aws-us-gov' : 'aws'
}
