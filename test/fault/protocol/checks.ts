// What must hold in every state.
import { foldIn, NOTHING } from './folded-log.js'
import { ALL_ROWS, commitLsnOf, endLsnOf } from './records.js'
import type { Violation } from './step.js'
import { logEnd, type Bucket, type Scenario, type World } from './world.js'

export class Checks {
  readonly #transactions: readonly number[]
  /** Many states share a bucket. */
  readonly #seen = new Map<number, Violation | undefined>()

  constructor({ messages }: Scenario) {
    this.#transactions = messages.flatMap((message) => (message.kind === 'transaction' ? [message.number] : []))
  }

  of(world: World): Violation | undefined {
    const end = logEnd(world.bucket)
    if (world.confirmed > end)
      return { kind: 'G1: acked beyond the log', text: `acked ${world.confirmed}, the log ends at ${end}` }
    for (const { id, durable, received } of [world.a, world.b])
      if (durable > received)
        return { kind: 'G1: durable beyond what was received', text: `${id}: ${durable} beyond ${received}` }
    const { serial } = world.bucket
    if (!this.#seen.has(serial)) this.#seen.set(serial, this.#ofBucket(world.bucket))
    return this.#seen.get(serial)
  }

  /** Everything is durable and acked. */
  done({ confirmed, bucket }: World): boolean {
    const end = endLsnOf(this.#transactions.at(-1)!)
    return confirmed >= end && logEnd(bucket) >= end
  }

  #ofBucket(bucket: Bucket): Violation | undefined {
    return (
      this.#rowsOnce(bucket) ??
      logWhole(bucket) ??
      checkpointsTrue(bucket) ??
      filesThere(bucket) ??
      this.#rowsThere(bucket)
    )
  }

  #rowsOnce({ files }: Bucket): Violation | undefined {
    for (const transaction of this.#transactions) {
      let seen = 0
      for (const file of files) {
        if (!file.transactions.includes(transaction)) continue
        if ((seen & file.rows) !== 0)
          return {
            kind: 'G4: a row is in two files',
            text: `transaction ${transaction}: ${files.map(fileText).join()}`,
          }
        seen |= file.rows
      }
    }
    return undefined
  }

  #rowsThere(bucket: Bucket): Violation | undefined {
    const end = logEnd(bucket)
    const listed = new Set(bucket.commits.flatMap((commit) => commit?.files.map(({ key }) => key) ?? []))
    for (const transaction of this.#transactions) {
      if (commitLsnOf(transaction) >= end) continue
      const holding = bucket.files.filter((file) => listed.has(file.key) && file.transactions.includes(transaction))
      if (holding.reduce((rows, file) => rows | file.rows, 0) !== ALL_ROWS)
        return { kind: 'G1: a durable row is nowhere', text: `transaction ${transaction}, log up to ${end}` }
    }
    return undefined
  }
}

function logWhole({ commits, head }: Bucket): Violation | undefined {
  let end = 0n
  for (const [batch, commit] of commits.entries()) {
    if (commit?.fromLsn !== end)
      return { kind: 'G2: the log has a hole', text: `batch ${batch} does not begin at ${end}` }
    end = commit.endLsn
  }
  if (head >= commits.length) return { kind: 'G2: the head is ahead of the log', text: `it names batch ${head}` }
  return undefined
}

function checkpointsTrue({ commits, checkpoints }: Bucket): Violation | undefined {
  let folded = NOTHING
  for (const [batch, checkpoint] of checkpoints.entries()) {
    const commit = commits[batch]
    if (commit !== undefined) folded = foldIn(folded, commit)
    if (checkpoint !== undefined && (commit === undefined || checkpoint !== folded))
      return { kind: 'G2: a checkpoint is not the log folded', text: `checkpoint ${batch}` }
  }
  return undefined
}

function filesThere({ commits, files }: Bucket): Violation | undefined {
  const there = new Set(files.map(({ key }) => key))
  for (const commit of commits)
    for (const { key } of commit?.files ?? [])
      if (!there.has(key)) return { kind: 'G4: a commit without its files', text: `${key} is not there` }
  return undefined
}

function fileText({ key, transactions, rows }: Bucket['files'][number]): string {
  return ` ${key} holds ${transactions.join('+')} rows ${rows}`
}
