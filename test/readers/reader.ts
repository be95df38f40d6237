// What the suite asks of a reader: a table's rows, by the very snippet that docs/readers.md shows, in one form.

/**
 * As PostgreSQL prints it (`DateStyle = ISO`, `TimeZone = UTC`; `bool` is `true` and `false`), but a FLOAT or DOUBLE is a
 * number, and a list is a list.
 */
export type Cell = string | number | null | readonly Cell[]

export interface Request {
  /** Its name in the lake, in the schema `public`. */
  readonly table: string
  /** Its directory, an absolute path. */
  readonly folder: string
  /** The page's snippet, over this table. */
  readonly snippet: string
  readonly columns: readonly string[]
  /** Those of them that are `bytea`, for readers to which text and bytes are one. */
  readonly bytes: readonly string[]
  /** Those that are `timestamptz`, for readers to which it is one with `timestamp`. */
  readonly instants: readonly string[]
}

/** Rows by (`_lsn`, `_seq`), each with the columns in the order in which they were asked for; or the error's text. */
export type Answer = { readonly rows: readonly (readonly Cell[])[] } | { readonly refused: string }

export interface Reader {
  /** As docs/readers.md heads its section. */
  readonly name: string
  /** Makes it ready, which may install it. Says why where it cannot be had here. */
  readonly prepare: () => Promise<string | undefined>
  /** An answer for each request, in their order. */
  readonly read: (requests: readonly Request[]) => Promise<Answer[]>
}
