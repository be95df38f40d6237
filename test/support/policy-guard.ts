// A store in front of another one's objects that lets in only what a printed policy allows, as AWS would judge it, and remembers
// which of its actions were needed.
import type { Policy } from '../../internal/storage/bucket-policy.js'
import { S3Error, type S3Operation, type S3Request } from './s3-request.js'
import { S3Server } from './s3-server.js'

/** What AWS asks for each request (https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html). */
const actions: Partial<Readonly<Record<S3Operation, string>>> = {
  ListObjectsV2: 's3:ListBucket',
  ListMultipartUploads: 's3:ListBucketMultipartUploads',
  PutObject: 's3:PutObject',
  GetObject: 's3:GetObject',
  DeleteObject: 's3:DeleteObject',
  CreateMultipartUpload: 's3:PutObject',
  UploadPart: 's3:PutObject',
  CompleteMultipartUpload: 's3:PutObject',
  AbortMultipartUpload: 's3:AbortMultipartUpload',
}

export interface PolicyGuard {
  readonly server: S3Server
  /** Actions that were asked for and allowed. */
  readonly used: ReadonlySet<string>
  /** `action resource` of what was not. */
  readonly denied: ReadonlySet<string>
}

export async function startPolicyGuard(behind: S3Server, policy: Policy): Promise<PolicyGuard> {
  const server = await S3Server.start(behind.objects)
  const [used, denied] = [new Set<string>(), new Set<string>()]
  server.onBeforeRequest = (request) => {
    const action = actions[request.operation] ?? request.operation
    const { bucket, key, query } = request
    const resource = `arn:aws:s3:::${bucket}${key === '' ? '' : `/${key}`}`
    const prefix = query.get('prefix') ?? undefined
    if (!allows(policy, action, resource, prefix)) {
      denied.add(`${action} ${resource}`)
      throw new S3Error(403, 'AccessDenied', 'Access Denied')
    }
    used.add(action)
    if (request.operation === 'GetObject' && !isThere(behind, request)) {
      // Whoever may not list what is there is not told either that something is not there.
      if (allows(policy, 's3:ListBucket', `arn:aws:s3:::${bucket}`, key)) return
      denied.add(`s3:ListBucket of ${key}`)
      throw new S3Error(403, 'AccessDenied', 'Access Denied')
    }
  }
  return { server, used, denied }
}

function isThere(behind: S3Server, request: S3Request): boolean {
  return behind.objects.attributes(request.bucket, request.key) !== undefined
}

function allows(policy: Policy, action: string, resource: string, prefix: string | undefined): boolean {
  return policy.Statement.some((statement) => {
    const { 's3:prefix': wanted, ...others } = statement.Condition?.StringLike ?? {}
    if (Object.keys(others).length > 0) throw new Error('a condition that nobody judges')
    const listed = wanted === undefined || (prefix !== undefined && like(wanted, prefix))
    return statement.Action.includes(action) && like(statement.Resource, resource) && listed
  })
}

function like(pattern: string, text: string): boolean {
  const pieces = pattern.split('*').map((piece) => piece.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'))
  return new RegExp(`^${pieces.join('.*')}$`, 's').test(text)
}
