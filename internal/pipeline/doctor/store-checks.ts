// The store: each right that the service needs is tried on objects of the doctor's own, which it takes away again.
import { createHash, randomBytes } from 'node:crypto'
import type { ObjectStore, StoreSettings } from '../../storage/object-store.js'
import { probeKey, probePrefix } from '../../storage/keys.js'
import { attempt, failed, ok, type Check } from './check.js'

/** Above what a store takes in one request: it comes in parts. */
const PARTS_BYTES = 9 << 20

export async function storeChecks(store: ObjectStore, slot: string): Promise<readonly Check[]> {
  const [whole, inParts] = [0, 1].map(() => probeKey(slot, randomBytes(6).toString('hex')))
  const started = performance.now()
  const written = await attempt('write', async () => {
    await store.put(whole!, [Buffer.from('{}')], { role: 'log', ifAbsent: true })
    return ok('write', `${store.location}, ${Math.round(performance.now() - started)} ms for an object`)
  })
  // What is not let in at all fails in everything that follows, for the same reason.
  if (written[0]!.state === 'failed') return written
  const checks = [
    ...written,
    ...(await attempt('conditional write', () => conditionalWrite(store, whole!))),
    ...(await attempt('read', async () => {
      const content = await store.get(whole!)
      return content?.toString() === '{}' ? ok('read', 'an object reads as it was written') : misread()
    })),
    ...(await attempt('multipart', () => multipart(store, inParts!))),
    ...(await attempt('list', () => listing(store, slot, whole!))),
  ]
  const deletion = await attempt('delete', async () => {
    for (const key of [whole!, inParts!]) await store.delete(key)
    return ok('delete', 'what the doctor wrote is gone again')
  })
  return [...checks, ...deletion, ...settingsOf(await store.settings?.())]
}

function settingsOf(settings: StoreSettings | undefined): Check[] {
  if (settings === undefined) return []
  const { encryption, versioning } = settings
  const untold = (action: string): string => `not told: it takes the right ${action}, which the service does not need`
  const kept = 'expire noncurrent versions below _wal_cake/ after some days: head.json is overwritten with each batch'
  const isKept =
    versioning === 'Enabled' ? `Enabled; ${kept}` : `${versioning}: an object that somebody deletes is gone`
  return [
    ok(
      'encryption',
      encryption === undefined
        ? untold('s3:GetEncryptionConfiguration')
        : encryption === 'none'
          ? 'not by the bucket; S3_SSE asks for it with each object'
          : `${encryption}, unless S3_SSE says otherwise`,
    ),
    ok('versioning', versioning === undefined ? untold('s3:GetBucketVersioning') : isKept),
  ]
}

function misread(): Check {
  return failed('read', 'an object does not read as it was written', 'Look at what stands between here and the store.')
}

async function conditionalWrite(store: ObjectStore, key: string): Promise<Check> {
  const again = await store.put(key, [Buffer.from('{}')], { role: 'log', ifAbsent: true })
  if (again === 'exists') return ok('conditional write', 'the second of two writers loses')
  return failed(
    'conditional write',
    'the store ignores If-None-Match, so two writers could not be told apart',
    'Use a store that honours it, or set SOLE_WRITER=true if no second process can ever write this lake.',
  )
}

async function multipart(store: ObjectStore, key: string): Promise<Check> {
  const content = randomBytes(PARTS_BYTES)
  const sha256 = createHash('sha256').update(content).digest('hex')
  const receipt = await store.stage(key, [content], { role: 'data', sha256 })
  await store.complete(key, receipt)
  const digest = await store.digest(key)
  if (digest?.sha256 === sha256) return ok('multipart', 'an object in parts is staged, completed and whole')
  return failed(
    'multipart',
    'an object in parts is not what was sent',
    'Look at what stands between here and the store.',
  )
}

async function listing(store: ObjectStore, slot: string, key: string): Promise<Check> {
  for await (const object of store.list(probePrefix(slot)))
    if (object.key === key) return ok('list', 'a new object is listed')
  return failed(
    'list',
    'an object that was just written is not listed',
    'The service needs a store that lists what it has.',
  )
}
