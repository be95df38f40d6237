// The table as PostgreSQL holds it: after each transaction of a script its rows and the pages where they lie, what the stream
// says of the transaction, and what a snapshot still finds of it later.
import type { SourceTable } from '../../../internal/replication/copy-source.js'
import type { Piece } from '../../../internal/pipeline/copying/table-pieces.js'

export type Change =
  | { readonly do: 'insert'; readonly key: number; readonly page: number }
  /** Where no page is given the row stays in its own; `value`: the large value changes too, and is sent. */
  | { readonly do: 'update'; readonly key: number; readonly page?: number; readonly value?: true }
  | { readonly do: 'rekey'; readonly key: number; readonly to: number; readonly page?: number }
  | { readonly do: 'delete'; readonly key: number }
  | { readonly do: 'truncate' }
  /** VACUUM FULL: nothing is logged, and no row gets another xmin. */
  | { readonly do: 'rewrite'; readonly pages: Readonly<Record<number, number>> }

export interface Transaction {
  /** Its place among the commits by default; transactions with a lower one than another that has committed run meanwhile. */
  readonly xid?: number
  readonly changes: readonly Change[]
}

export interface TableScript {
  readonly hasKey: boolean
  /** Page of each row that was there before. */
  readonly rows: Readonly<Record<number, number>>
  readonly transactions: readonly Transaction[]
}

export interface StoredRow {
  readonly key: number
  readonly page: number
  readonly small: number
  readonly large: string
  readonly xmin: number
}

/** A change as the stream brings it, without its position. */
export interface SentRow {
  readonly _op: string
  readonly key?: number
  readonly small?: number
  readonly large?: string | null
  readonly _unchanged?: string
}

interface Moment {
  readonly rows: readonly StoredRow[]
  readonly fileNode: number
  readonly pages: number
  /** Of the transaction that led here. */
  readonly sent: readonly SentRow[]
}

export const OID = 20
const GONE_PAGE = 0

export class Source {
  readonly hasKey: boolean
  readonly #transactions: readonly Transaction[]
  readonly #moments: readonly Moment[]

  constructor({ hasKey, rows, transactions }: TableScript) {
    this.hasKey = hasKey
    this.#transactions = transactions
    const first = Object.entries(rows).map(([key, page]) => ({
      ...{ key: Number(key), page, small: 0, large: `large ${key}`, xmin: 0 },
    }))
    const moments: Moment[] = [{ rows: first, fileNode: 1, pages: pagesOf(first), sent: [] }]
    transactions.forEach((_, k) => moments.push(after(moments[k]!, transactions[k]!, this.xid(k))))
    this.#moments = moments
  }

  get length(): number {
    return this.#transactions.length
  }

  xid(transaction: number): number {
    return this.#transactions[transaction]!.xid ?? transaction + 1
  }

  /** The lowest that runs, or the next one, once so many have committed. */
  xmin(committed: number): number {
    for (let xid = 1; xid < this.nextXid(committed); xid++)
      if (!this.#transactions.some((_, k) => k < committed && this.xid(k) === xid)) return xid
    return this.nextXid(committed)
  }

  nextXid(committed: number): number {
    return Math.max(0, ...this.#transactions.slice(0, committed).map((_, k) => this.xid(k))) + 1
  }

  rows(committed: number): readonly StoredRow[] {
    return this.#moments[committed]!.rows
  }

  pages(now: number): number {
    return this.#moments[now]!.pages
  }

  /** What the stream brings of a transaction, counted from 0. */
  sent(transaction: number): readonly SentRow[] {
    return this.#moments[transaction + 1]!.sent
  }

  table(committed: number): SourceTable {
    const { fileNode } = this.#moments[committed]!
    return {
      relation: { oid: OID, schema: 's', name: 't', replicaIdentity: 'd', columns: [] },
      ...{ hasKey: this.hasKey, filter: undefined, columnNumbers: [] },
      sources: [{ oid: OID, name: 's.t', fileNode, attributes: 2, hasToast: true, isHeap: true }],
    }
  }

  /** What a snapshot that saw so many transactions finds of a piece now. */
  read(seen: number, now: number, { fromPage, toPage, sinceXid }: Piece): readonly StoredRow[] {
    let rows = this.rows(seen)
    for (const { changes } of this.#transactions.slice(seen, now))
      for (const change of changes) {
        if (change.do === 'truncate') rows = []
        // A row that is dead by now is kept for old snapshots, and lies anywhere.
        if (change.do === 'rewrite') rows = rows.map((row) => ({ ...row, page: change.pages[row.key] ?? GONE_PAGE }))
      }
    return rows.filter(
      ({ page, xmin }) =>
        page >= fromPage &&
        (toPage === undefined || page < toPage) &&
        (sinceXid === undefined || BigInt(xmin) >= sinceXid),
    )
  }
}

function after(before: Moment, { changes }: Transaction, xmin: number): Moment {
  let { rows, fileNode, pages } = before
  const sent: SentRow[] = []
  const small = xmin
  for (const change of changes)
    switch (change.do) {
      case 'insert': {
        const row = { key: change.key, page: change.page, small, large: `large ${change.key} of ${xmin}`, xmin }
        rows = [...rows, row]
        sent.push({ _op: 'I', key: row.key, small, large: row.large })
        break
      }
      case 'update': {
        const old = rows.find(({ key }) => key === change.key)!
        const large = change.value === undefined ? old.large : `large ${old.key} of ${xmin}`
        rows = rows.map((row) => (row === old ? { ...old, page: change.page ?? old.page, small, large, xmin } : row))
        sent.push({ _op: 'U', key: old.key, small, ...(change.value === undefined ? unsent : { large }) })
        break
      }
      case 'rekey': {
        const old = rows.find(({ key }) => key === change.key)!
        const moved = { ...old, key: change.to, page: change.page ?? old.page, small, xmin }
        rows = rows.map((row) => (row === old ? moved : row))
        sent.push({ _op: 'D', key: old.key }, { _op: 'U', key: change.to, small, ...unsent })
        break
      }
      case 'delete':
        rows = rows.filter(({ key }) => key !== change.key)
        sent.push({ _op: 'D', key: change.key })
        break
      case 'truncate':
        rows = []
        sent.push({ _op: 'T' })
        fileNode++
        pages = 0
        break
      case 'rewrite':
        rows = rows.map((row) => ({ ...row, page: change.pages[row.key]! }))
        fileNode++
        pages = 0
    }
  return { rows, fileNode, pages: Math.max(pages, pagesOf(rows)), sent }
}

const unsent = { large: null, _unchanged: '["large"]' }

function pagesOf(rows: readonly StoredRow[]): number {
  return Math.max(0, ...rows.map(({ page }) => page + 1))
}
