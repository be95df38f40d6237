// What an error of the AWS SDK means for the service: it may pass by itself (`store_away`), or a person has to mend it
// (`config`). Never hands the SDK's error on: for a wrong signature S3 answers with the canonical request, and that
// holds the session token.
import { Failure } from '../model/failure.js'

/** What the operator configured, for messages; no secrets. */
export interface S3Place {
  readonly bucket: string
  /** Scheme, host and port, where one is configured. */
  readonly endpoint: string | undefined
}

interface Facts {
  readonly name: string
  readonly code: string
  /** The more telling one of name and code. */
  readonly label: string
  readonly message: string
  readonly status: number | undefined
  readonly requestId: string | undefined
}

const region = "Set AWS_REGION to the bucket's region."

/** Sentences for what S3 (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html) wants mended, by code. */
const mendable: Readonly<Record<string, string>> = {
  NoSuchBucket: 'Create the bucket or correct S3_BUCKET_NAME.',
  InvalidBucketName: 'Correct S3_BUCKET_NAME.',
  AllAccessDisabled: 'Correct S3_BUCKET_NAME, or have the bucket enabled again.',
  AccountProblem: 'The account of AWS_ACCESS_KEY_ID is closed or suspended.',
  InvalidAccessKeyId: 'Correct AWS_ACCESS_KEY_ID: the store does not know this key.',
  // versitygw's name for it, and an HTTP 404.
  XAdminUserNotFound: 'Correct AWS_ACCESS_KEY_ID: the store does not know this key.',
  SignatureDoesNotMatch: 'Correct AWS_SECRET_ACCESS_KEY: it does not belong to AWS_ACCESS_KEY_ID.',
  InvalidToken: 'Correct AWS_SESSION_TOKEN, or unset it for keys that do not need one.',
  PermanentRedirect: region,
  AuthorizationHeaderMalformed: region,
  IllegalLocationConstraintException: region,
  InvalidRegionName: region,
  InvalidStorageClass: 'Correct S3_STORAGE_CLASS: the store does not know this class.',
  InvalidEncryptionAlgorithmError: 'Correct S3_SSE: the store does not know this encryption.',
  ServerSideEncryptionConfigurationNotFoundError: 'Correct S3_SSE, or set up encryption in the store.',
  NotImplemented:
    'The store cannot do what was asked: check S3_SSE, S3_STORAGE_CLASS, and that it does conditional writes.',
}

const denied =
  'Give the key of AWS_ACCESS_KEY_ID the rights s3:ListBucket, s3:GetObject, s3:PutObject, s3:DeleteObject and ' +
  's3:AbortMultipartUpload in S3_BUCKET_NAME, and to the key of S3_SSE_KMS_KEY_ID where one is set.'
const noKeys = 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role.'
const clock = "Set this machine's clock."
const tls = 'Check the scheme of AWS_ENDPOINT; give Node a private certificate authority in NODE_EXTRA_CA_CERTS.'

const notS3 = 'Check that AWS_ENDPOINT is an S3 service (scheme, host, port).'

/** Answers of a kind that asks for a repair elsewhere (5xx is implied), or for nothing but another try. */
const passing: Readonly<Record<string, string | undefined>> = {
  ExpiredToken: 'The session of AWS_SESSION_TOKEN has ended; a role renews it by itself.',
  ExpiredTokenException: 'The session of AWS_SESSION_TOKEN has ended; a role renews it by itself.',
  TokenRefreshRequired: undefined,
  RequestTimeTooSkewed: clock,
  RequestExpired: clock,
  RequestTimeout: undefined,
  RequestTimeoutException: undefined,
  SlowDown: undefined,
  Throttling: undefined,
  ThrottlingException: undefined,
  OperationAborted: undefined,
  ConditionalRequestConflict: undefined,
  // Between a multipart upload's parts and its end something removed it; the next try begins a new one.
  NoSuchUpload: undefined,
  // What arrived is not what was sent.
  BadDigest: undefined,
  InvalidPart: undefined,
  XAmzContentSHA256Mismatch: undefined,
  XAmzContentChecksumMismatch: undefined,
  IncompleteBody: undefined,
}

/** An answer that reads as a success and lacks what every such answer of S3 holds. */
export class NotOfS3 extends Error {
  override readonly name = 'NotOfS3'

  constructor() {
    super('the answer is cut, or not one of S3')
  }
}

/** Status and code of an SDK error, for the few answers that are no failure (absent, exists, empty). */
export function s3Answer(error: unknown): { status: number | undefined; code: string } {
  const { status, name } = factsOf(error)
  return { status, code: name }
}

/**
 * The failure that an error of the SDK is. `proven`: the store has answered this process before, so what looks like a
 * wrong setting (no credentials to be had, a bad certificate) has come up since and may pass.
 */
export function s3Failure(error: unknown, doing: string, place: S3Place, proven: boolean): Failure {
  if (error instanceof Failure) return error
  const facts = factsOf(error)
  const at = place.endpoint === undefined ? '' : ` at ${place.endpoint}`
  const [kind, hint] = judge(facts, proven)
  const status = facts.status === undefined ? '' : `, HTTP ${facts.status}`
  const request = facts.requestId === undefined ? '' : `, request ${facts.requestId}`
  return new Failure(
    kind,
    `cannot ${doing} in bucket ${place.bucket}${at}: ${facts.message} (${facts.label}${status}${request})`,
    hint === undefined ? {} : { hint },
  )
}

type Judgement = readonly [kind: 'store_away' | 'config' | 'unexpected', hint?: string | undefined]

function judge({ name, code, message, status }: Facts, proven: boolean): Judgement {
  if (name in passing) return ['store_away', passing[name]]
  if (name === 'NotOfS3') return ['store_away', notS3]
  if (name.endsWith('ProviderError')) return proven ? ['store_away'] : ['config', noKeys]
  if (message.startsWith('Region is missing')) return ['config', 'Set AWS_REGION.']
  const mend = mendable[name]
  if (mend !== undefined) return ['config', mend]
  if (name.startsWith('KMS.') || name.startsWith('Kms')) return ['config', 'Check S3_SSE_KMS_KEY_ID and its policy.']
  if (status === undefined) return judgeConnection(code, proven)
  if (status >= 500 || status === 429 || status === 408 || status === 409) return ['store_away']
  if (status === 401 || status === 403) return ['config', denied]
  if (status >= 300 && status < 400)
    return ['config', 'Check AWS_REGION and AWS_ENDPOINT: the store sends us elsewhere.']
  // A 2xx that the SDK cannot read is a cut answer or a proxy's page, and so is a 404 that names nothing.
  if (status < 300 || (status === 404 && proven)) return ['store_away', notS3]
  // Whatever a store that has worked refuses now, somebody has changed it, and may change it back.
  return ['config', proven ? 'See what the store has logged of this request.' : `${notS3} Check AWS_REGION.`]
}

function judgeConnection(code: string, proven: boolean): Judgement {
  if (code === 'ENOTFOUND') return ['store_away', 'No such host: check AWS_ENDPOINT and AWS_REGION.']
  if (code === 'ERR_INVALID_URL') return ['config', 'Correct AWS_ENDPOINT: it is not a URL.']
  const insecure = /^(ERR_(TLS|SSL)_|EPROTO|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/.test(code)
  if (insecure && !proven) return ['config', tls]
  // Errors of the system (ECONNRESET, EAI_AGAIN …), of Node's HTTP parser (HPE_…), and of a stream that ended too soon.
  const isConnection = insecure || /^((?!ERR_)E[A-Z0-9_]+|HPE_\w+|ERR_(STREAM|SOCKET)_\w+)$/.test(code)
  return isConnection ? ['store_away', 'Check that AWS_ENDPOINT is reachable from here.'] : ['unexpected']
}

function factsOf(error: unknown): Facts {
  if (!(error instanceof Error)) return { name: '', code: '', label: 'error', message: String(error), ...noAnswer }
  const { $metadata, $response, errors } = error as SdkError
  // An attempt on several addresses of one host fails with an AggregateError that says nothing itself.
  const first = errors?.[0] instanceof Error ? errors[0] : error
  const status = $metadata?.httpStatusCode ?? $response?.statusCode
  const code = codeOf(error) ?? codeOf(first) ?? ''
  return {
    name: error.name,
    code,
    label: status === undefined && code !== '' ? code : error.name,
    // A parse error quotes the whole answer, and OpenSSL ends its lines.
    message: (error.message === '' ? first.message : error.message).slice(0, 300).trim(),
    status,
    requestId: $metadata?.requestId,
  }
}

const noAnswer = { status: undefined, requestId: undefined }

interface SdkError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string }
  readonly $response?: { readonly statusCode?: number }
  readonly errors?: readonly unknown[]
}

/** Node's error code; the SDK's own timeouts have only a name. */
function codeOf(error: Error): string | undefined {
  if ('code' in error && typeof error.code === 'string') return error.code
  return error.name === 'TimeoutError' ? 'ETIMEDOUT' : undefined
}
