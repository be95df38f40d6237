// The SDK's client as this program needs it: credentials, timeouts and sockets, no retries but of single parts, and no answer
// believed that is not one of S3.
import { setTimeout as delay } from 'node:timers/promises'
import { S3Client } from '@aws-sdk/client-s3'
import { NotOfS3, s3Failure } from './s3-failure.js'

/** A part that fails so often fails its file. */
const PART_ATTEMPTS = 4
/** The n-th pause before a part is sent again is random below this times 2^n. */
const PART_PAUSE_MS = 100

export const IDLE_TIMEOUT_MS = 30_000

export interface S3ClientOptions {
  readonly region?: string
  /** Without keys the SDK's own chain applies: environment, profiles, roles. */
  readonly accessKeyId?: string
  readonly secretAccessKey?: string
  readonly sessionToken?: string
  /** URL of a service that is not AWS; buckets are then addressed in the path. */
  readonly endpoint?: string
  /** How long a connection may take to come up. */
  readonly connectTimeoutMs?: number
  /** How long nothing may move on a connection, in either direction, before it is given up. */
  readonly idleTimeoutMs?: number
  /** Must exceed the requests in flight: the time in the queue for a socket counts as time to connect. */
  readonly maxSockets?: number
}

/** Does not connect. */
export function newS3Client(options: S3ClientOptions): S3Client {
  const { accessKeyId, secretAccessKey, sessionToken, endpoint, region } = options
  const keys =
    accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) } }
  const agent = { keepAlive: true, maxSockets: options.maxSockets ?? 256 }
  // Stores other than AWS mostly take any region, but a signature needs one.
  const place =
    endpoint === undefined
      ? region === undefined
        ? {}
        : { region }
      : { endpoint, forcePathStyle: true, region: region ?? 'us-east-1' }
  const client = new S3Client({
    ...place,
    ...keys,
    maxAttempts: 1,
    // The signature covers the body's SHA-256 already; a CRC in JavaScript on top costs more than compressing did.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // With `Expect: 100-continue` the SDK opens a new connection for every write.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: options.connectTimeoutMs ?? 5_000,
      socketTimeout: options.idleTimeoutMs ?? IDLE_TIMEOUT_MS,
      httpAgent: agent,
      httpsAgent: agent,
    },
  })
  retryParts(client)
  proveAnswers(client)
  return client
}

/** The options of a request that the signal ends. */
export function sending(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal }
}

/**
 * A part may be sent as often as one likes, since nobody sees it; and of a file of hundreds one that fails must not make
 * the others go up again. Everything else is sent once: an answer that was lost may have been a write that was won.
 */
function retryParts(client: S3Client): void {
  client.middlewareStack.add(
    (next, context) => async (request) => {
      const attempts = context.commandName === 'UploadPartCommand' ? PART_ATTEMPTS : 1
      for (let attempt = 1; ; attempt++) {
        try {
          return await next(request)
        } catch (error) {
          if (attempt === attempts || !passesSoon(error)) throw error
          await delay(Math.random() * PART_PAUSE_MS * 2 ** attempt)
        }
      }
    },
    { step: 'initialize', name: 'retryParts' },
  )
}

/** Silence has been waited out already, and is to be told of. The SDK gives a broken connection the name of one, too. */
function passesSoon(error: unknown): boolean {
  if (error instanceof Error && error.name === 'TimeoutError' && !('code' in error)) return false
  return s3Failure(error, 'send a part', { bucket: '', endpoint: undefined }, true).kind === 'store_away'
}

/** What the answer of S3 to a command always holds: one without it is cut or somebody else's, whatever its status says. */
const provingFields: Readonly<Record<string, string>> = {
  PutObjectCommand: 'ETag',
  GetObjectCommand: 'ETag',
  ListObjectsV2Command: 'IsTruncated',
  CreateMultipartUploadCommand: 'UploadId',
  UploadPartCommand: 'ETag',
  CompleteMultipartUploadCommand: 'ETag',
}

function proveAnswers(client: S3Client): void {
  client.middlewareStack.add(
    (next, context) => async (request) => {
      const answer = await next(request)
      const field = provingFields[String(context.commandName)]
      if (field !== undefined && Reflect.get(answer.output, field) === undefined) throw new NotOfS3()
      return answer
    },
    { step: 'initialize', name: 'proveAnswers' },
  )
}
