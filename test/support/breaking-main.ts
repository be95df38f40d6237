// The real program, made to die or fall asleep at a named point: wraps what lies on both sides of the points, and runs
// main.ts as it is, so that the product itself has no hook in it. Only tests run it, with BREAK_AT and its like set.
import { AsyncLocalStorage } from 'node:async_hooks'
import { writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { LiveStream } from '../../internal/pipeline/live-stream.js'
import { ReplicationStream } from '../../internal/replication/replication-stream.js'
import { FolderStore } from '../../internal/storage/folder-store.js'
import type { ObjectStore } from '../../internal/storage/object-store.js'
import { TemporaryFiles } from '../../internal/storage/temporary-files.js'
import { POINT_REACHED, type BreakPoint } from './breaking.js'

const { BREAK_AT, BREAK_WITH, BREAK_PASS, BREAK_FROM_BATCH, SLOW_PLAN_MS, SLOW_DATA_MS, S3_BUCKET_NAME } = process.env
const pass = Number(BREAK_PASS ?? 0)
const fromBatch = Number(BREAK_FROM_BATCH ?? 0)
let seen = 0

/** Called at every point. `batch`: undefined where the point belongs to none. */
function at(point: BreakPoint, batch?: number): void {
  if (point !== BREAK_AT || (batch ?? Infinity) < fromBatch || seen++ !== pass) return
  writeSync(1, `${JSON.stringify({ level: 'info', msg: POINT_REACHED, point, batch })}\n`)
  process.kill(process.pid, BREAK_WITH ?? 'SIGKILL')
}

interface Written {
  readonly thing:
    'identity' | 'schema' | 'data' | 'head' | 'checkpoint' | `${'' | 'idle ' | 'copy '}${'plan' | 'commit'}`
  readonly batch?: number
}

/** What the object is, by its key and, for an idle position, its content. */
function writtenAs(key: string, chunks: readonly Uint8Array[]): Written | undefined {
  const record = /\/log\/(\d+)\.(plan|commit)\.json$/.exec(key)
  if (record !== null) {
    const thing = record[2] as 'plan' | 'commit'
    const kind = /"kind":"(idle|copy)"/.exec(Buffer.concat(chunks).toString('latin1'))?.[1] as
      'idle' | 'copy' | undefined
    return { thing: kind === undefined ? thing : `${kind} ${thing}`, batch: Number(record[1]) }
  }
  const data = /^data\/.*-(\d{12})-[0-9A-F]{16}-[0-9A-F]{16}-\d+\.parquet$/.exec(key)
  if (data !== null) return { thing: 'data', batch: Number(data[1]) }
  if (key.endsWith('/head.json')) {
    const { batch } = JSON.parse(Buffer.concat(chunks).toString()) as { batch: number }
    return { thing: 'head', batch }
  }
  const checkpoint = /\/checkpoint\/(\d+)\.json$/.exec(key)
  if (checkpoint !== null) return { thing: 'checkpoint', batch: Number(checkpoint[1]) }
  if (key.endsWith('/identity.json')) return { thing: 'identity' }
  return key.includes('/schemas/') ? { thing: 'schema' } : undefined
}

/** The object that is being written, for what happens underneath. */
const writing = new AsyncLocalStorage<Written>()
/** Commits are written one after the other, and acknowledged each as soon as it stands. */
let committed: Written | undefined

/** Puts `around` in the place of a method; it gets the method, and what it was called with. */
function wrap<T, M extends keyof T>(
  prototype: T,
  name: M,
  around: T[M] extends (...args: infer A) => infer R ? (call: (...args: A) => R, args: A) => R : never,
): void {
  const method = prototype[name] as (...args: unknown[]) => unknown
  const replacement = function (this: unknown, ...args: unknown[]): unknown {
    return (around as (call: typeof method, args: unknown[]) => unknown)(
      (...passed) => method.apply(this, passed),
      args,
    )
  }
  prototype[name] = replacement as T[M]
}

/** The SDK takes a while to load, and a folder needs none of it. */
const inBucket = S3_BUCKET_NAME !== undefined
const stores: readonly ObjectStore[] = inBucket
  ? [(await import('../../internal/storage/s3-store.js')).S3Store.prototype]
  : [FolderStore.prototype]

for (const store of stores)
  wrap(store, 'put', async (put, [key, chunks, options]) => {
    const written = writtenAs(key, chunks)
    if (written === undefined) return put(key, chunks, options)
    const { thing, batch } = written
    if (thing === 'plan' && SLOW_PLAN_MS !== undefined) await delay(Number(SLOW_PLAN_MS))
    at(`before ${thing}`, batch)
    if (thing === 'data' && SLOW_DATA_MS !== undefined) await delay(Number(SLOW_DATA_MS))
    const answer = await writing.run(written, () => put(key, chunks, options))
    if (thing === 'commit' || thing === 'idle commit') committed = written
    at(`after ${thing}`, batch)
    return answer
  })

for (const store of stores) {
  wrap(store, 'stage', async (stage, args) => {
    at('before stage')
    const receipt = await stage(...args)
    at('after stage')
    return receipt
  })
  wrap(store, 'complete', async (complete, args) => {
    at('before complete')
    const answer = await complete(...args)
    at('after complete')
    return answer
  })
}

function atInside(written: Written | undefined): void {
  switch (written?.thing) {
    case 'data':
    case 'plan':
    case 'commit':
    case 'checkpoint':
      at(`inside ${written.thing}`, written.batch)
  }
}

// In the middle of a write: in a folder the temporary file lies there whole and is not linked yet …
wrap(TemporaryFiles.prototype, 'withFile', (withFile, [chunks, signal, use]) =>
  withFile(chunks, signal, (path) => {
    atInside(writing.getStore())
    return use(path)
  }),
)

// … and in a bucket some parts are stored, and the object is not completed.
if (inBucket) {
  const { S3Client } = await import('@aws-sdk/client-s3')
  const s3 = S3Client.prototype as unknown as { send: (command: object, options: unknown) => Promise<unknown> }
  wrap(s3, 'send', async (send, [command, options]) => {
    const answer = await send(command, options)
    if (command.constructor.name === 'UploadPartCommand') atInside(writing.getStore())
    return answer
  })
}

wrap(LiveStream.prototype, 'end', (end, [summary, counts, reason]) => {
  end(summary, counts, reason)
  if (reason !== 'replay') at('closed')
})

wrap(ReplicationStream.prototype, 'acknowledge', (acknowledge, [durable]) => {
  const commit = committed
  // Without one it is what was durable when the stream began.
  const passes = (moment: 'before' | 'after'): void => {
    if (commit !== undefined) at(`${moment} ${commit.thing === 'idle commit' ? 'idle ack' : 'ack'}`, commit.batch)
  }
  passes('before')
  acknowledge(durable)
  passes('after')
})

const client = pg.Client.prototype as unknown as { query: (...args: unknown[]) => unknown }
wrap(client, 'query', (query, args) => {
  const created = /^CREATE (PUBLICATION)|^CREATE_REPLICATION_(SLOT)/.exec(String(args[0]))
  if (created === null) return query(...args)
  const thing = created[1] === undefined ? 'slot' : 'publication'
  at(`before ${thing}`)
  return (query(...args) as Promise<unknown>).then((answer) => {
    at(`after ${thing}`)
    return answer
  })
})

await import('../../cmd/wal-cake/main.js')
