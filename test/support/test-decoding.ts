// What PostgreSQL's own test_decoding plugin says of the log, as values: an independent second reading of the same WAL. A
// slot of this plugin, made before the program's and never moved, holds everything that a lake must hold.
// https://www.postgresql.org/docs/current/test-decoding.html
import { lsn } from './lsn-text.js'
import type { Source } from './rig.js'

/** Column to the value's text as the plugin prints it, without quotes; NULL, or not sent because it is unchanged. */
export type DecodedTuple = ReadonlyMap<string, string | null | typeof UNCHANGED>

/** A large value that an update has left alone. */
export const UNCHANGED = Symbol('unchanged')

export interface DecodedChange {
  readonly op: 'I' | 'U' | 'D' | 'T'
  /** `schema.table`; a truncate of several tables is one change for each. */
  readonly table: string
  /** Of an update the old key, where it was logged; of a delete what was logged. NULLs of it are left out. */
  readonly old: DecodedTuple | undefined
  /** Of an insert and an update. */
  readonly new: DecodedTuple | undefined
}

export interface DecodedTransaction {
  readonly xid: bigint
  /** Behind its commit record. */
  readonly endLsn: bigint
  /** Such as `2024-02-28 23:59:59.5+00`. */
  readonly committedAt: string
  readonly changes: readonly DecodedChange[]
}

/** From here on everything is kept for readTransactions(). Takes time while transactions are open. */
export async function makeDecodingSlot(source: Source, slot: string): Promise<void> {
  await source.query(`SELECT pg_create_logical_replication_slot($1, 'test_decoding')`, [slot])
}

/** All transactions with changes since the slot was made, in commit order. The slot stays where it is. */
export async function readTransactions(source: Source, slot: string): Promise<DecodedTransaction[]> {
  const rows = await source.query<{ lsn: string; data: string }>(
    `SELECT lsn, data FROM pg_logical_slot_peek_changes($1, NULL, NULL,
       'include-xids', '1', 'include-timestamp', '1', 'skip-empty-xacts', '1')`,
    [slot],
  )
  const transactions: DecodedTransaction[] = []
  let changes: DecodedChange[] = []
  for (const row of rows) {
    if (row.data.startsWith('BEGIN ')) changes = []
    else if (row.data.startsWith('table ')) changes.push(...parseChange(row.data))
    // Messages that are no rows.
    else if (!row.data.startsWith('message: ')) {
      const commit = /^COMMIT (\d+) \(at (.+)\)$/.exec(row.data)
      if (commit === null) throw new Error(`test_decoding says ${row.data}`)
      const [, xid = '', committedAt = ''] = commit
      if (changes.length > 0) transactions.push({ xid: BigInt(xid), endLsn: lsn(row.lsn), committedAt, changes })
    }
  }
  return transactions
}

const OPS = { INSERT: 'I', UPDATE: 'U', DELETE: 'D', TRUNCATE: 'T' } as const

export function parseChange(line: string): DecodedChange[] {
  const text = new Text(line)
  text.skip('table ')
  const tables = [text.tableName()]
  while (text.skipIf(', ')) tables.push(text.tableName())
  text.skip(': ')
  const word = text.until(':') as keyof typeof OPS
  const op = OPS[word] as (typeof OPS)[keyof typeof OPS] | undefined
  if (op === undefined) throw text.unreadable()
  if (op === 'T') return tables.map((table) => ({ op, table, old: undefined, new: undefined }))
  const [table = ''] = tables
  if (op === 'I') return [{ op, table, old: undefined, new: text.tuple() }]
  if (op === 'D') return [{ op, table, old: text.tuple(), new: undefined }]
  const old = text.skipIf(' old-key:') ? text.tuple() : undefined
  if (old !== undefined) text.skip(' new-tuple:')
  return [{ op, table, old, new: text.tuple() }]
}

class Text {
  readonly #line: string
  #at = 0

  constructor(line: string) {
    this.#line = line
  }

  unreadable(): Error {
    return new Error(`test_decoding: cannot read ${JSON.stringify(this.#line.slice(this.#at, this.#at + 80))}`)
  }

  skipIf(what: string): boolean {
    if (!this.#line.startsWith(what, this.#at)) return false
    this.#at += what.length
    return true
  }

  skip(what: string): void {
    if (!this.skipIf(what)) throw this.unreadable()
  }

  /** Takes what stands before `end`, and `end`, or all that is left. */
  until(end: string): string {
    const found = this.#line.indexOf(end, this.#at)
    const taken = this.#line.slice(this.#at, found < 0 ? undefined : found)
    this.#at = found < 0 ? this.#line.length : found + end.length
    return taken
  }

  tableName(): string {
    const schema = this.#identifier()
    this.skip('.')
    return `${schema}.${this.#identifier()}`
  }

  /** ` name[type]:value` again and again, to the end of the line or to what is no column. */
  tuple(): DecodedTuple {
    const columns = new Map<string, string | null | typeof UNCHANGED>()
    while (this.#line[this.#at] === ' ' && !this.#line.startsWith(' new-tuple:', this.#at)) {
      this.#at++
      const name = this.#identifier()
      this.skip('[')
      this.until(']:')
      columns.set(name, this.#value())
    }
    return columns
  }

  #identifier(): string {
    if (this.#line[this.#at] === '"') return this.#quoted('"')
    const plain = /[a-z_][a-z0-9_$]*/y
    plain.lastIndex = this.#at
    const [name] = plain.exec(this.#line) ?? []
    if (name === undefined) throw this.unreadable()
    this.#at += name.length
    return name
  }

  #value(): string | null | typeof UNCHANGED {
    if (this.#line[this.#at] === "'") return this.#quoted("'")
    // Numbers and booleans stand bare.
    const end = this.#line.indexOf(' ', this.#at)
    const bare = this.#line.slice(this.#at, end < 0 ? undefined : end)
    this.#at += bare.length
    if (bare === 'null') return null
    return bare === 'unchanged-toast-datum' ? UNCHANGED : bare
  }

  /** Between two quotes; one inside is doubled. */
  #quoted(quote: string): string {
    let value = ''
    for (;;) {
      const end = this.#line.indexOf(quote, this.#at + 1)
      if (end < 0) throw this.unreadable()
      value += this.#line.slice(this.#at + 1, end)
      this.#at = end + 1
      if (this.#line[this.#at] !== quote) return value
      value += quote
    }
  }
}
