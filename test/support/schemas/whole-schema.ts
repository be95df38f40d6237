// A database schema as it is found in the world, with what its application does: made, filled and written by SQL alone, the
// same in every run.

export interface WholeSchema {
  readonly name: string
  /** Types, tables, triggers and what else belongs to them, without a row. */
  readonly made: string
  /** Transactions that fill it. Several statements in one text are one transaction. */
  readonly seed: readonly string[]
  /** Then at the same time, each on a connection of its own: the transactions of the sessions. */
  readonly sessions?: readonly (readonly string[])[]
  /** Then transactions one after the other. */
  readonly work: readonly string[]
  /** `text`: it has a type that is only known in text. */
  readonly mode: 'binary' | 'text'
  /** Columns of large values that some updates leave alone, so that they are not sent; sorted. */
  readonly unchanged: readonly string[]
}
