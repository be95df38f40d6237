// What the server sends of positions that the lake already covers, held against what the log says of them (G6): the last
// transaction, asked for once more, must be the same, and where nothing had happened there can be no row. Takes nothing.
import type { LastTransaction, QuietStretch } from '../model/batch-record.js'
import type { Lsn } from '../model/lsn.js'
import type { Relation } from '../model/relation.js'
import type { BuilderOptions } from './batch-sink.js'
import { notQuiet, notSentAgain } from './other-history.js'
import { provesHistory, quietAt } from './stream-place.js'

export class KnownPast {
  readonly #quiet: readonly QuietStretch[]
  readonly #takes: BuilderOptions['takes']
  #sentAgain: LastTransaction | undefined

  constructor({ sentAgain, quiet, takes }: Pick<BuilderOptions, 'sentAgain' | 'quiet' | 'takes'>) {
    this.#sentAgain = sentAgain
    this.#quiet = quiet ?? []
    this.#takes = takes
  }

  /** The stream has come to a transaction, or without `commitMicros` to a quiet position. Throws Failure `unsafe`. */
  reached(position: Lsn, commitMicros: bigint | undefined): void {
    if (this.#sentAgain === undefined) return
    const verdict = provesHistory(this.#sentAgain, position, commitMicros)
    if (verdict === 'other') throw notSentAgain(this.#sentAgain, position)
    if (verdict === 'same') this.#sentAgain = undefined
  }

  /** A row of a transaction that is durable already, and so is dropped. Throws Failure `unsafe`. */
  row(commitLsn: Lsn, relation: Relation): void {
    const stretch = quietAt(commitLsn, this.#quiet)
    if (stretch !== undefined && this.#takes(relation.schema, relation.name, stretch))
      throw notQuiet(stretch, commitLsn, relation)
  }
}
