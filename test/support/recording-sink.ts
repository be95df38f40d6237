// A ChangeSink that copies everything it is given, so that a test can look at it after the buffer was overwritten.
import type { ChangeSink, Pause } from '../../internal/model/change-sink.js'
import type { Relation } from '../../internal/model/relation.js'

export type Recorded =
  | { readonly tag: 'begin'; readonly commitLsn: bigint; readonly micros: bigint; readonly xid: number }
  | { readonly tag: 'relation'; readonly relation: Relation }
  /** `tuples`: from the first tuple's kind byte to the end of the message. */
  | { readonly tag: 'insert' | 'update' | 'delete'; readonly oid: number; readonly tuples: Buffer }
  | { readonly tag: 'truncate'; readonly oids: readonly number[] }
  | { readonly tag: 'commit'; readonly commitLsn: bigint; readonly endLsn: bigint }
  | { readonly tag: 'keepalive'; readonly position: bigint; readonly urgent: boolean }

export class RecordingSink implements ChangeSink {
  readonly recorded: Recorded[] = []
  /** What each call answers; asked with what was just recorded. */
  pause: (event: Recorded) => Pause = () => undefined

  begin(commitLsn: bigint, micros: bigint, xid: number): Pause {
    return this.#record({ tag: 'begin', commitLsn, micros, xid })
  }

  relation(relation: Relation): Pause {
    return this.#record({ tag: 'relation', relation })
  }

  insert(oid: number, buffer: Buffer, at: number, end: number): Pause {
    return this.#record({ tag: 'insert', oid, tuples: Buffer.from(buffer.subarray(at, end)) })
  }

  update(oid: number, buffer: Buffer, at: number, end: number): Pause {
    return this.#record({ tag: 'update', oid, tuples: Buffer.from(buffer.subarray(at, end)) })
  }

  delete(oid: number, buffer: Buffer, at: number, end: number): Pause {
    return this.#record({ tag: 'delete', oid, tuples: Buffer.from(buffer.subarray(at, end)) })
  }

  truncate(oids: readonly number[]): Pause {
    return this.#record({ tag: 'truncate', oids })
  }

  commit(commitLsn: bigint, endLsn: bigint): Pause {
    return this.#record({ tag: 'commit', commitLsn, endLsn })
  }

  keepalive(position: bigint, urgent: boolean): Pause {
    return this.#record({ tag: 'keepalive', position, urgent })
  }

  #record(event: Recorded): Pause {
    this.recorded.push(event)
    return this.pause(event)
  }
}
