// Where the lake lies: a bucket or a local folder, never both. Credentials are taken as a whole or left to the SDK.
import { Failure } from '../model/failure.js'
import type { VariableReader } from './variable-reader.js'
import type { VariableName } from './variables.js'

export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface S3Settings {
  readonly kind: 's3'
  readonly bucket: string
  /** Absent, like the credentials: the SDK's own chain. */
  readonly region?: string
  readonly credentials?: S3Credentials
  /** URL of an S3-compatible store; absent: AWS. */
  readonly endpoint?: string
  readonly serverSideEncryption?: (typeof encryptions)[number]
  readonly kmsKeyId?: string
  /** Of data files only. */
  readonly storageClass?: string
}

export interface FolderSettings {
  readonly kind: 'folder'
  /** As configured: may be relative to the working directory. */
  readonly path: string
}

export type StoreSettings = S3Settings | FolderSettings

export const encryptions = ['AES256', 'aws:kms', 'aws:kms:dsse'] as const

/** Undefined after a problem was recorded. The AWS variables of a shell are not looked at when a folder is used. */
export function readStore(read: VariableReader): StoreSettings | undefined {
  const bucket = read.value('S3_BUCKET_NAME', bucketName)
  const path = read.value('LAKE_DIR', (text) => (/^[a-z][a-z0-9]+:\/\//i.test(text) ? undefined : text))
  const [bucketGiven, folderGiven] = [read.text('S3_BUCKET_NAME') !== undefined, read.text('LAKE_DIR') !== undefined]
  if (bucketGiven && folderGiven) read.reject('LAKE_DIR', 'S3_BUCKET_NAME is set too, and a lake is one or the other')
  if (!bucketGiven && !folderGiven) read.reject('S3_BUCKET_NAME', 'one of it and LAKE_DIR is required')
  if (folderGiven && !bucketGiven) {
    for (const name of ['S3_SSE', 'S3_SSE_KMS_KEY_ID', 'S3_STORAGE_CLASS'] as const) {
      if (read.text(name) !== undefined) read.reject(name, 'it has no effect on LAKE_DIR')
    }
    return path === undefined ? undefined : { kind: 'folder', path }
  }

  const optional = {
    region: read.value('AWS_REGION', (text) => (/^[A-Za-z0-9-]+$/.test(text) ? text : undefined)),
    credentials: readCredentials(read),
    endpoint: readEndpoint(read),
    serverSideEncryption: read.choice('S3_SSE', encryptions),
    kmsKeyId: readKmsKeyId(read),
    storageClass: read.value('S3_STORAGE_CLASS', storageClass),
  }
  return bucket === undefined ? undefined : { kind: 's3', bucket, ...definedMembers(optional) }
}

function readCredentials(read: VariableReader): S3Credentials | undefined {
  const accessKeyId = read.text('AWS_ACCESS_KEY_ID')
  const secretAccessKey = read.text('AWS_SECRET_ACCESS_KEY')
  const sessionToken = read.text('AWS_SESSION_TOKEN')
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) }
  }
  const given: VariableName | undefined =
    accessKeyId !== undefined
      ? 'AWS_ACCESS_KEY_ID'
      : secretAccessKey !== undefined
        ? 'AWS_SECRET_ACCESS_KEY'
        : sessionToken !== undefined
          ? 'AWS_SESSION_TOKEN'
          : undefined
  if (given === undefined) return undefined
  if (accessKeyId === undefined) read.reject('AWS_ACCESS_KEY_ID', `${given} is set without it`)
  if (secretAccessKey === undefined) read.reject('AWS_SECRET_ACCESS_KEY', `${given} is set without it`)
  return undefined
}

function readEndpoint(read: VariableReader): string | undefined {
  const endpoint = read.value('AWS_ENDPOINT', endpointUrl)
  const alias = read.value('AWS_ENDPOINT_URL', endpointUrl)
  if (endpoint !== undefined && alias !== undefined && endpoint !== alias) {
    read.reject('AWS_ENDPOINT_URL', 'AWS_ENDPOINT is set too, to another URL')
  }
  return endpoint ?? alias
}

function readKmsKeyId(read: VariableReader): string | undefined {
  return read.value('S3_SSE_KMS_KEY_ID', (text) => {
    if (read.text('S3_SSE')?.startsWith('aws:kms') === true) return text
    throw new Failure('config', 'S3_SSE does not ask for KMS')
  })
}

/** Loose, because S3-compatible stores allow more than AWS does; an access point's ARN is a bucket too. */
function bucketName(text: string): string | undefined {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$|^arn:[^\s]+$/.test(text) ? text : undefined
}

function endpointUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  const plain = url.username === '' && url.password === '' && url.search === '' && url.hash === ''
  return plain && /^https?:$/.test(url.protocol) ? text.replace(/\/+$/, '') : undefined
}

function storageClass(text: string): string | undefined {
  return /^[A-Z0-9_-]+$/.test(text) && text !== 'GLACIER' && text !== 'DEEP_ARCHIVE' ? text : undefined
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

function definedMembers<T extends object>(members: T): Defined<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Defined<T>
}
