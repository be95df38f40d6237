// A request as the test suite's S3 server sees it: which operation it is, and whether its signature and payload hold.
// Follows https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html. Never trusts a body that it
// has not checked against the hash in the signature.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { crc32 } from 'node:zlib'

/** An error that S3 would answer with. */
export class S3Error extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

export type S3Operation =
  | 'CreateBucket'
  | 'HeadBucket'
  | 'ListObjectsV2'
  | 'ListMultipartUploads'
  | 'PutObject'
  | 'GetObject'
  | 'HeadObject'
  | 'DeleteObject'
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'NotImplemented'

/** What is known of a request before its body. */
export interface S3RequestHead {
  readonly operation: S3Operation
  readonly method: string
  readonly bucket: string
  readonly key: string
  readonly query: URLSearchParams
  readonly header: (name: string) => string | undefined
}

export interface S3Request extends S3RequestHead {
  readonly body: Buffer
}

export interface S3Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

interface RawHead extends S3RequestHead {
  readonly rawPath: string
}

export function requestHead(message: IncomingMessage): RawHead {
  const [rawPath = '/', rawQuery = ''] = (message.url ?? '/').split('?', 2)
  const [bucket = '', ...key] = rawPath.slice(1).split('/').map(decodeURIComponent)
  const query = new URLSearchParams(rawQuery)
  const method = message.method ?? ''
  return {
    operation: operationOf(method, key.join('/'), query),
    method,
    bucket,
    key: key.join('/'),
    query,
    header: (name) => {
      const value = message.headers[name]
      return Array.isArray(value) ? value.join(',') : value
    },
    rawPath,
  }
}

/** The body as it came: see verify(). Ends early where `enough` bytes have come, and then reads nothing more. */
export async function readBody(message: IncomingMessage, enough = Infinity): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of message.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk as Buffer)
    bytes += (chunk as Buffer).length
    if (bytes >= enough) break
  }
  return Buffer.concat(chunks)
}

function operationOf(method: string, key: string, query: URLSearchParams): S3Operation {
  const upload = query.has('uploadId')
  if (key === '') {
    if (method === 'PUT') return 'CreateBucket'
    if (method === 'HEAD') return 'HeadBucket'
    if (method === 'GET' && query.get('list-type') === '2' && !query.has('delimiter')) return 'ListObjectsV2'
    return method === 'GET' && query.has('uploads') ? 'ListMultipartUploads' : 'NotImplemented'
  }
  if (method === 'POST') {
    if (query.has('uploads')) return 'CreateMultipartUpload'
    return upload ? 'CompleteMultipartUpload' : 'NotImplemented'
  }
  if (method === 'PUT') return upload ? 'UploadPart' : 'PutObject'
  if (method === 'GET') return 'GetObject'
  if (method === 'HEAD') return 'HeadObject'
  if (method === 'DELETE') return upload ? 'AbortMultipartUpload' : 'DeleteObject'
  return 'NotImplemented'
}

/** The request with its payload decoded. Throws S3Error where key, signature, clock, hash or checksum do not hold. */
export function verify(request: S3Request & RawHead, keys: S3Keys): S3Request {
  verifySignature(request, keys)
  const payloadHash = request.header('x-amz-content-sha256') ?? ''
  if (payloadHash === 'STREAMING-UNSIGNED-PAYLOAD-TRAILER') {
    const { body, trailers } = decodeChunked(request.body)
    verifyChecksums(body, (name) => trailers.get(name))
    return { ...request, body }
  }
  if (payloadHash.startsWith('STREAMING-')) throw new S3Error(501, 'NotImplemented', `payload ${payloadHash}`)
  if (payloadHash !== 'UNSIGNED-PAYLOAD' && payloadHash !== sha256(request.body)) {
    throw new S3Error(400, 'XAmzContentSHA256Mismatch', "The provided 'x-amz-content-sha256' header does not match.")
  }
  verifyChecksums(request.body, request.header)
  return request
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8}\/[^/]+\/s3\/aws4_request), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/
const MAX_SKEW_MS = 15 * 60 * 1000

function verifySignature(request: S3Request & RawHead, keys: S3Keys): void {
  const match = AUTHORIZATION.exec(request.header('authorization') ?? '')
  if (match === null) throw new S3Error(403, 'AccessDenied', 'Access Denied')
  const [, accessKeyId, scope, signedHeaders, signature] = match as unknown as [string, string, string, string, string]
  if (accessKeyId !== keys.accessKeyId) {
    throw new S3Error(403, 'InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.')
  }
  const time = request.header('x-amz-date') ?? ''
  const sentAt = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5'))
  if (!(Math.abs(Date.now() - sentAt) < MAX_SKEW_MS)) {
    throw new S3Error(403, 'RequestTimeTooSkewed', 'The difference between the request time and now is too large.')
  }
  const canonical = [
    request.method,
    request.rawPath
      .split('/')
      .map((segment) => encodeStrictly(decodeURIComponent(segment)))
      .join('/'),
    [...request.query]
      .map(([name, value]) => [encodeStrictly(name), encodeStrictly(value)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map((pair) => pair.join('='))
      .join('&'),
    ...signedHeaders.split(';').map((name) => `${name}:${(request.header(name) ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    signedHeaders,
    request.header('x-amz-content-sha256') ?? '',
  ].join('\n')
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n')
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${keys.secretAccessKey}`)
  if (!timingSafeEqual(hmac(key, toSign), Buffer.from(signature, 'hex'))) {
    throw new S3Error(403, 'SignatureDoesNotMatch', 'The request signature we calculated does not match.')
  }
}

/** Percent-encodes all but the unreserved characters of RFC 3986, as SigV4 does. */
function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** `aws-chunked`: size in hexadecimal, CRLF, bytes, CRLF; a chunk of size 0, then trailing headers. */
function decodeChunked(encoded: Buffer): { body: Buffer; trailers: Map<string, string> } {
  const chunks: Buffer[] = []
  for (let at = 0; ;) {
    const lineEnd = encoded.indexOf('\r\n', at)
    const size = lineEnd < 0 ? NaN : parseInt(encoded.toString('latin1', at, lineEnd), 16)
    const start = lineEnd + 2
    if (!(start + size <= encoded.length)) throw new S3Error(400, 'IncompleteBody', 'The chunked payload is cut.')
    if (size === 0) {
      const lines = encoded.toString('latin1', start).split('\r\n').filter(Boolean)
      const trailers = new Map(lines.map((line) => line.split(/: ?/, 2) as [string, string]))
      return { body: Buffer.concat(chunks), trailers }
    }
    chunks.push(encoded.subarray(start, start + size))
    at = start + size + 2
  }
}

function verifyChecksums(body: Buffer, header: (name: string) => string | undefined): void {
  const sha = header('x-amz-checksum-sha256')
  const crc = header('x-amz-checksum-crc32')
  const shaHolds = sha === undefined || sha === createHash('sha256').update(body).digest('base64')
  const crcHolds = crc === undefined || Buffer.from(crc, 'base64').readUInt32BE() === crc32(body)
  if (!shaHolds || !crcHolds) throw new S3Error(400, 'BadDigest', 'The checksum did not match what we received.')
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest()
}
