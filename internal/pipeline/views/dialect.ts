// What the engines say in different words: the parts of SQL of which the views are made. A *record* is a value with several
// parts, which compares part by part.
import type { ColumnType } from './column-types.js'

export interface Dialect {
  readonly identifier: (name: string) => string
  readonly literal: (text: string) => string
  /** `value` as it is read from a file of a column of type `from`, as `to`; the two may be the same. */
  readonly cast: (value: string, from: ColumnType, to: ColumnType) => string
  /** A value that PostgreSQL has printed; only for types that are no lists. */
  readonly parse: (value: string, type: ColumnType) => string
  /** The first of them that is not NULL. */
  readonly firstOf: (values: readonly string[], type: ColumnType) => string
  readonly differs: (a: string, b: string) => string
  readonly record: (parts: readonly string[]) => string
  /** Counts from 0. */
  readonly part: (record: string, k: number) => string
  /** Of the row with the greatest `position` under `condition`: an aggregate. Its parts are NULL (or 0) where there is none. */
  readonly last: (record: string, position: string, condition?: string) => string
  /** A text of the JSON object, or NULL. */
  readonly field: (object: string, name: string) => string
  /** True or false: the JSON array, which may be NULL, has one of the texts. */
  readonly hasAny: (array: string, names: readonly string[]) => string
  /** The JSON object of texts, with others in it where they are not NULL; NULL where it is empty. */
  readonly withFields: (object: string, fields: readonly (readonly [name: string, value: string])[]) => string
  /** As a text that is different for different positions. */
  readonly positionText: (lsn: string, seq: string) => string
  /** A query for `at` and `root` of chains: links (`lsn`, `seq`, `from`, `to`), of which one begins where another ends. */
  readonly roots: (chain: Chain) => string
  readonly recursive: boolean
}

/** Names of a relation and its columns, and of the columns that are wanted. */
export interface Chain {
  readonly links: string
  readonly own: string
  readonly lsn: string
  readonly seq: string
  readonly from: string
  readonly to: string
  readonly at: string
  readonly root: string
  /** The relation that the query defines. */
  readonly roots: string
}
