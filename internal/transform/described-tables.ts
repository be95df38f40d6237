// The tables that the server has described in this session, by OID, with what the lake makes of each. Every change of a
// row names one of them.
import { BadBytes } from '../model/bad-bytes.js'
import { Failure } from '../model/failure.js'
import { sameRelation, type Relation } from '../model/relation.js'
import type { RegisteredVersion, RowCounts } from './batch-sink.js'
import type { OpenBatch } from './open-batch.js'
import type { TableLayout } from './table-layout.js'
import type { TableWriter } from './table-writer.js'

export interface Table {
  readonly relation: Relation
  /** Absent: filtered out. */
  readonly lake?: {
    readonly layout: TableLayout
    readonly version: RegisteredVersion
    /** Of the open file, which the table's first row begins. */
    writer?: TableWriter | undefined
  }
  /** Its rows in the batch that they were counted in last. */
  tally?: { readonly batch: OpenBatch; readonly counts: RowCounts }
}

export class DescribedTables {
  readonly #tables = new Map<number, Table>()
  /** By name, the OID of the table that had it last: another one may have taken its place, and given it back. */
  readonly #named = new Map<string, number>()

  get all(): readonly Table[] {
    return [...this.#tables.values()]
  }

  find(oid: number): Table | undefined {
    return this.#tables.get(oid)
  }

  /** `at`: behind its OID, where that is known. Throws Failure `protocol`. */
  get(oid: number, at?: number): Table {
    const table = this.#tables.get(oid)
    if (table !== undefined) return table
    const problem = `a change of relation ${oid}, which was never described`
    throw at === undefined ? new Failure('protocol', problem) : new BadBytes(at - 4, problem)
  }

  set(table: Table): void {
    const { relation, lake } = table
    this.#tables.set(relation.oid, table)
    if (lake !== undefined) this.#named.set(nameOf(relation), relation.oid)
  }

  /** The description says nothing new. */
  has(relation: Relation): boolean {
    const known = this.#tables.get(relation.oid)
    if (known === undefined || !sameRelation(known.relation, relation)) return false
    return known.lake === undefined || this.#named.get(nameOf(relation)) === relation.oid
  }
}

function nameOf({ schema, name }: Relation): string {
  return JSON.stringify([schema, name])
}
