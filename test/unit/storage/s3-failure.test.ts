// What each error of S3, of the network and of the SDK means: retry, or stop and name the setting to mend.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { Failure, type FailureKind } from '../../../internal/model/failure.js'
import { NotOfS3, s3Failure } from '../../../internal/storage/s3-failure.js'

const place = { bucket: 'lake', endpoint: 'http://minio:9000' }

function answered(name: string, status: number, message = 'told by the store'): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status, requestId: 'R1' } })
}

function broken(code: string): Error {
  return Object.assign(new Error(`it broke: ${code}`), { code })
}

const named = (name: string, message = 'no answer') => Object.assign(new Error(message), { name })

/** Error; its kind and a word of its hint before the store has answered once, and its kind after. */
const cases: readonly [Error, FailureKind, RegExp | undefined, FailureKind][] = [
  [answered('SlowDown', 503), 'store_away', undefined, 'store_away'],
  [answered('InternalError', 500), 'store_away', undefined, 'store_away'],
  [answered('TooManyRequests', 429), 'store_away', undefined, 'store_away'],
  [answered('RequestTimeout', 400), 'store_away', undefined, 'store_away'],
  [answered('Unknown', 408), 'store_away', undefined, 'store_away'],
  [answered('ConditionalRequestConflict', 409), 'store_away', undefined, 'store_away'],
  [answered('RequestTimeTooSkewed', 403), 'store_away', /clock/, 'store_away'],
  [answered('ExpiredToken', 400), 'store_away', /AWS_SESSION_TOKEN/, 'store_away'],
  [answered('NoSuchUpload', 404), 'store_away', undefined, 'store_away'],
  [answered('BadDigest', 400), 'store_away', undefined, 'store_away'],
  [broken('ECONNREFUSED'), 'store_away', /AWS_ENDPOINT/, 'store_away'],
  [broken('ECONNRESET'), 'store_away', /AWS_ENDPOINT/, 'store_away'],
  [broken('ENOTFOUND'), 'store_away', /AWS_ENDPOINT/, 'store_away'],
  [broken('EAI_AGAIN'), 'store_away', /AWS_ENDPOINT/, 'store_away'],
  [named('TimeoutError'), 'store_away', /AWS_ENDPOINT/, 'store_away'],
  [new AggregateError([broken('ECONNREFUSED')]), 'store_away', /AWS_ENDPOINT/, 'store_away'],
  [answered('NoSuchBucket', 404), 'config', /S3_BUCKET_NAME/, 'config'],
  [answered('AccessDenied', 403), 'config', /s3:ListBucket/, 'config'],
  [answered('InvalidAccessKeyId', 403), 'config', /AWS_ACCESS_KEY_ID/, 'config'],
  [answered('XAdminUserNotFound', 404), 'config', /AWS_ACCESS_KEY_ID/, 'config'],
  [answered('SignatureDoesNotMatch', 403), 'config', /AWS_SECRET_ACCESS_KEY/, 'config'],
  [answered('PermanentRedirect', 301), 'config', /AWS_REGION/, 'config'],
  [answered('AuthorizationHeaderMalformed', 400), 'config', /AWS_REGION/, 'config'],
  [answered('InvalidStorageClass', 400), 'config', /S3_STORAGE_CLASS/, 'config'],
  [answered('KMS.NotFoundException', 400), 'config', /S3_SSE_KMS_KEY_ID/, 'config'],
  [answered('NotImplemented', 501), 'config', /conditional/, 'config'],
  [new Error('Region is missing'), 'config', /AWS_REGION/, 'config'],
  [broken('ERR_STREAM_PREMATURE_CLOSE'), 'store_away', /AWS_ENDPOINT/, 'store_away'],
  [broken('ERR_SOCKET_CONNECTION_TIMEOUT'), 'store_away', /AWS_ENDPOINT/, 'store_away'],
  [new NotOfS3(), 'store_away', /AWS_ENDPOINT/, 'store_away'],
  // What a working setting can turn into for a while.
  [named('CredentialsProviderError'), 'config', /AWS_ACCESS_KEY_ID/, 'store_away'],
  [named('TokenProviderError'), 'config', /AWS_ACCESS_KEY_ID/, 'store_away'],
  [broken('CERT_HAS_EXPIRED'), 'config', /NODE_EXTRA_CA_CERTS/, 'store_away'],
  [broken('EPROTO'), 'config', /scheme/, 'store_away'],
  [answered('NotFound', 404), 'config', /AWS_ENDPOINT/, 'store_away'],
  // A refusal that nobody foresaw is for a person to look at; what is no answer of a store at all stops.
  [answered('EntityTooLarge', 400), 'config', /AWS_ENDPOINT/, 'config'],
  [new TypeError('undefined is not a function'), 'unexpected', undefined, 'unexpected'],
  [broken('ERR_INVALID_ARG_TYPE'), 'unexpected', undefined, 'unexpected'],
  [broken('HPE_INVALID_CONSTANT'), 'store_away', /AWS_ENDPOINT/, 'store_away'],
]

for (const [error, kind, hint, provenKind] of cases) {
  const label = `${error.name} ${error.message}`
  test(`${label}: ${kind}, once the store has answered ${provenKind}`, () => {
    const first = s3Failure(error, 'write k', place, false)
    assert.equal(first.kind, kind)
    if (hint !== undefined) assert.match(first.hint ?? '', hint)
    assert.match(first.message, /^cannot write k in bucket lake at http:\/\/minio:9000: \S/)
    assert.equal(s3Failure(error, 'write k', place, true).kind, provenKind)
  })
}

test('a failure passes through as it is', () => {
  const failure = new Failure('fenced', 'no')
  assert.equal(s3Failure(failure, 'write k', place, true), failure)
})

test('what S3 tells about a wrong signature stays inside: it holds the session token', () => {
  const error = Object.assign(answered('SignatureDoesNotMatch', 403), {
    CanonicalRequest: 'PUT\n/lake/k\n\nx-amz-security-token:TOPSECRET',
    $response: { headers: { echo: 'TOPSECRET' }, statusCode: 403 },
  })
  const failure = s3Failure(error, 'write k', place, false)
  assert.doesNotMatch(inspect(failure, { depth: 10, showHidden: true }), /TOPSECRET/)
})
