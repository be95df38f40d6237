// What lies in the test suite's S3 server, and what each operation does to it. In memory and synchronous, so that every
// operation is atomic as S3's are. Never knows of sockets or faults.
import { createHash, randomUUID } from 'node:crypto'
import { S3Error, type S3Request } from './s3-request.js'

export interface S3Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | string
}

interface StoredContent {
  readonly content: Buffer
  readonly etag: string
  readonly modified: Date
  /** Attributes that came with it, by header. */
  readonly attributes: Readonly<Record<string, string>>
}

interface MultipartUpload {
  readonly key: string
  readonly attributes: Readonly<Record<string, string>>
  readonly parts: Map<number, StoredContent>
}

interface Bucket {
  readonly objects: Map<string, StoredContent>
  readonly uploads: Map<string, MultipartUpload>
}

const MIN_PART_BYTES = 5 * 1024 * 1024
const MAX_KEYS = 1000
const ATTRIBUTES = [
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-storage-class',
]

export class S3Objects {
  readonly #buckets = new Map<string, Bucket>()

  /** Throws S3Error for what S3 would refuse. */
  perform(request: S3Request): S3Answer {
    switch (request.operation) {
      case 'CreateBucket':
        return this.#createBucket(request)
      case 'HeadBucket':
        this.#bucket(request)
        return { status: 200 }
      case 'ListObjectsV2':
        return listObjects(this.#bucket(request), request)
      case 'ListMultipartUploads':
        return listUploads(this.#bucket(request), request)
      case 'PutObject':
        return putObject(this.#bucket(request), request)
      case 'GetObject':
      case 'HeadObject':
        return getObject(this.#bucket(request), request)
      case 'DeleteObject':
        this.#bucket(request).objects.delete(request.key)
        return { status: 204 }
      case 'CreateMultipartUpload':
        return createUpload(this.#bucket(request), request)
      case 'UploadPart':
        return uploadPart(this.#bucket(request), request)
      case 'CompleteMultipartUpload':
        return completeUpload(this.#bucket(request), request)
      case 'AbortMultipartUpload':
        uploadOf(this.#bucket(request), request)
        this.#bucket(request).uploads.delete(request.query.get('uploadId')!)
        return { status: 204 }
      case 'NotImplemented':
        throw new S3Error(
          501,
          'NotImplemented',
          'A header or query you provided implies functionality not implemented.',
        )
      default:
        return request.operation satisfies never
    }
  }

  /** The attributes that an object was written with, for assertions. */
  attributes(bucket: string, key: string): Readonly<Record<string, string>> | undefined {
    return this.#buckets.get(bucket)?.objects.get(key)?.attributes
  }

  /** Takes a bucket away with all that lies in it, as if it had been deleted. What is returned puts it back. */
  withdraw(bucket: string): () => void {
    const taken = this.#buckets.get(bucket)
    if (taken === undefined) throw new Error(`no bucket ${bucket}`)
    this.#buckets.delete(bucket)
    return () => void this.#buckets.set(bucket, taken)
  }

  #createBucket({ bucket }: S3Request): S3Answer {
    if (this.#buckets.has(bucket)) throw new S3Error(409, 'BucketAlreadyOwnedByYou', 'You already own this bucket.')
    this.#buckets.set(bucket, { objects: new Map(), uploads: new Map() })
    return { status: 200, headers: { location: `/${bucket}` } }
  }

  #bucket({ bucket }: S3Request): Bucket {
    const found = this.#buckets.get(bucket)
    if (found === undefined) throw new S3Error(404, 'NoSuchBucket', 'The specified bucket does not exist')
    return found
  }
}

function putObject(bucket: Bucket, request: S3Request): S3Answer {
  checkCondition(bucket, request)
  const stored = storedContent(request.body, attributesOf(request))
  bucket.objects.set(request.key, stored)
  return { status: 200, headers: { etag: stored.etag } }
}

function checkCondition(bucket: Bucket, request: S3Request): void {
  const condition = request.header('if-none-match')
  if (condition === undefined) return
  if (condition !== '*') throw new S3Error(501, 'NotImplemented', 'Only If-None-Match: * is implemented.')
  if (!bucket.objects.has(request.key)) return
  throw new S3Error(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold')
}

function getObject(bucket: Bucket, request: S3Request): S3Answer {
  const stored = bucket.objects.get(request.key)
  if (stored === undefined) throw new S3Error(404, 'NoSuchKey', 'The specified key does not exist.')
  const headers = { etag: stored.etag, 'last-modified': stored.modified.toUTCString(), ...stored.attributes }
  const size = stored.content.length
  const range = rangeOf(request.header('range'), size)
  if (range === undefined) return { status: 200, headers, body: stored.content }
  const [first, end] = range
  if (first >= end) throw new S3Error(416, 'InvalidRange', 'The requested range is not satisfiable')
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${first}-${end - 1}/${size}` },
    body: stored.content.subarray(first, end),
  }
}

/** First byte and the byte after the last, of `bytes=0-9`, `bytes=10-` or `bytes=-10`. */
function rangeOf(header: string | undefined, size: number): [number, number] | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  if (match === null) return undefined
  const [, first = '', last = ''] = match
  if (first === '') return last === '' ? undefined : [Math.max(0, size - Number(last)), size]
  return [Number(first), last === '' ? size : Math.min(size, Number(last) + 1)]
}

function listObjects(bucket: Bucket, { bucket: name, query }: S3Request): S3Answer {
  const prefix = query.get('prefix') ?? ''
  const after = query.get('continuation-token') ?? query.get('start-after') ?? ''
  const maxKeys = Math.min(MAX_KEYS, Number(query.get('max-keys') ?? MAX_KEYS))
  const keys = [...bucket.objects.keys()].filter((key) => key.startsWith(prefix) && compareBytes(key, after) > 0)
  keys.sort(compareBytes)
  const page = keys.slice(0, maxKeys)
  const truncated = page.length < keys.length
  const contents = page.map((key) => {
    const { content, etag, modified } = bucket.objects.get(key)!
    return element('Contents', [
      element('Key', escape(key)),
      element('LastModified', modified.toISOString()),
      element('ETag', escape(etag)),
      element('Size', String(content.length)),
    ])
  })
  return xml(
    element('ListBucketResult', [
      element('Name', escape(name)),
      element('Prefix', escape(prefix)),
      element('KeyCount', String(page.length)),
      element('MaxKeys', String(maxKeys)),
      element('IsTruncated', String(truncated)),
      ...(truncated ? [element('NextContinuationToken', escape(page.at(-1)!))] : []),
      ...contents,
    ]),
  )
}

function listUploads(bucket: Bucket, { bucket: name, query }: S3Request): S3Answer {
  const prefix = query.get('prefix') ?? ''
  const uploads = [...bucket.uploads].filter(([, { key }]) => key.startsWith(prefix))
  return xml(
    element('ListMultipartUploadsResult', [
      element('Bucket', escape(name)),
      element('IsTruncated', 'false'),
      ...uploads.map(([id, { key }]) => element('Upload', [element('Key', escape(key)), element('UploadId', id)])),
    ]),
  )
}

function createUpload(bucket: Bucket, request: S3Request): S3Answer {
  const id = randomUUID()
  bucket.uploads.set(id, { key: request.key, attributes: attributesOf(request), parts: new Map() })
  return xml(
    element('InitiateMultipartUploadResult', [
      element('Bucket', escape(request.bucket)),
      element('Key', escape(request.key)),
      element('UploadId', id),
    ]),
  )
}

function uploadPart(bucket: Bucket, request: S3Request): S3Answer {
  const part = storedContent(request.body, {})
  uploadOf(bucket, request).parts.set(Number(request.query.get('partNumber')), part)
  return { status: 200, headers: { etag: part.etag } }
}

function completeUpload(bucket: Bucket, request: S3Request): S3Answer {
  const upload = uploadOf(bucket, request)
  const named = [...request.body.toString().matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
    number: Number(/<PartNumber>(\d+)</.exec(part)?.[1]),
    etag: /<ETag>(.*?)</.exec(part)?.[1]?.replaceAll('&quot;', '"'),
  }))
  const parts = named.map(({ number, etag }, index) => {
    const part = upload.parts.get(number)
    if (part === undefined || part.etag !== etag) throw new S3Error(400, 'InvalidPart', 'A part could not be found.')
    if (index > 0 && number <= named[index - 1]!.number) {
      throw new S3Error(400, 'InvalidPartOrder', 'The list of parts was not in ascending order.')
    }
    if (index < named.length - 1 && part.content.length < MIN_PART_BYTES) {
      throw new S3Error(400, 'EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size')
    }
    return part
  })
  if (parts.length === 0) throw new S3Error(400, 'MalformedXML', 'The XML you provided was not well-formed')
  checkCondition(bucket, request)
  const hashes = Buffer.concat(parts.map(({ etag }) => Buffer.from(etag.slice(1, -1), 'hex')))
  const whole = storedContent(Buffer.concat(parts.map(({ content }) => content)), upload.attributes)
  const stored = { ...whole, etag: `"${md5(hashes)}-${parts.length}"` }
  bucket.objects.set(request.key, stored)
  bucket.uploads.delete(request.query.get('uploadId')!)
  return xml(
    element('CompleteMultipartUploadResult', [
      element('Bucket', escape(request.bucket)),
      element('Key', escape(request.key)),
      element('ETag', escape(stored.etag)),
    ]),
  )
}

function uploadOf(bucket: Bucket, request: S3Request): MultipartUpload {
  const upload = bucket.uploads.get(request.query.get('uploadId') ?? '')
  if (upload?.key === request.key) return upload
  throw new S3Error(404, 'NoSuchUpload', 'The specified upload does not exist.')
}

function storedContent(content: Buffer, attributes: Readonly<Record<string, string>>): StoredContent {
  return { content, etag: `"${md5(content)}"`, modified: new Date(), attributes }
}

function attributesOf(request: S3Request): Record<string, string> {
  const given = ATTRIBUTES.map((name) => [name, request.header(name)] as const)
  return Object.fromEntries(given.filter((entry): entry is [string, string] => entry[1] !== undefined))
}

function md5(content: Buffer): string {
  return createHash('md5').update(content).digest('hex')
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

export function xml(root: string, status = 200): S3Answer {
  return {
    status,
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n${root}`,
  }
}

export function element(name: string, content: string | readonly string[]): string {
  return `<${name}>${typeof content === 'string' ? content : content.join('')}</${name}>`
}

export function escape(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replace(/[&<>"]/g, (character) => entities[character]!)
}
