// A copy waits until the stream has passed the position of its snapshot, and all before it is durable: only then the lake knows every
// earlier version of the tables, and a server that was set back since cannot have sent what the snapshot saw.
import type { Lsn } from '../../model/lsn.js'

export class PositionWait {
  #wanted: { readonly position: Lsn; readonly resolve: () => void } | undefined
  #hurried = false

  /** Resolves when durable() was called with `position` or a later one. One wait at a time. */
  until(position: Lsn, durable: Lsn): Promise<void> {
    if (durable >= position) return Promise.resolve()
    this.#hurried = false
    return new Promise((resolve) => (this.#wanted = { position, resolve }))
  }

  /** The stream is at `position`, and what came before it should become durable now. True once a wait. */
  hurries(position: Lsn): boolean {
    if (!this.isDue(position) || this.#hurried) return false
    this.#hurried = true
    return true
  }

  /** Somebody waits for this position, or for one before it. */
  isDue(position: Lsn): boolean {
    return this.#wanted !== undefined && position >= this.#wanted.position
  }

  durable(position: Lsn): void {
    if (!this.isDue(position)) return
    this.#wanted!.resolve()
    this.#wanted = undefined
  }
}
