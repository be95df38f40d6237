// A schema as others use it: its tables, and the work that is done on them. Holds what the test of whole schemas needs to
// know; runs nothing.

export interface WholeSchema {
  readonly name: string
  /** Where its lake lies. */
  readonly lake: 'bucket' | 'folder'
  /** A column whose type is only known in text, as the log names it; absent: it is streamed in binary. */
  readonly onlyInText?: string
  /** Before the stream begins. */
  readonly made: string
  /**
   * While it runs, one after the other; several statements in one are one transaction. A list of lists: sessions that work at
   * the same time, each of these a list of transactions.
   */
  readonly work: readonly (string | readonly (readonly string[])[])[]
  /** By table, a column with large values that an update leaves alone. */
  readonly unchanged?: Readonly<Record<string, string>>
  /** Of which nothing may be in the lake. */
  readonly absent?: readonly string[]
}
