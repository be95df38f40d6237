// Types by OID, read from the catalogue when a Relation message first names them, and kept. A Relation gives the shape of a
// row, the catalogue only tells what its types are made of.
import type pg from 'pg'
import type { PgType, PgTypeKind } from '../model/pg-type.js'
import { queryFailure } from './connection.js'

interface Row {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly typtype: string
  readonly base: number
  readonly typmod: number
  readonly element: number
  readonly delimiter: string
  readonly subtype: number
}

const kinds: Readonly<Record<string, PgTypeKind>> = {
  b: 'base',
  c: 'composite',
  d: 'domain',
  e: 'enum',
  m: 'multirange',
  p: 'pseudo',
  r: 'range',
}

export class TypeCatalog {
  readonly #control: pg.Client
  readonly #rows = new Map<number, Row>()
  readonly #types = new Map<number, PgType>()

  readonly #answerWithinMs: number | undefined

  /** `answerWithinMs`: the longest wait for an answer, while the stream stands still; otherwise the connection's own. */
  constructor(control: pg.Client, answerWithinMs?: number) {
    this.#control = control
    this.#answerWithinMs = answerWithinMs
  }

  /** Every type of `oids` if all are known already, so that nobody has to wait. */
  known(oids: readonly number[]): PgType[] | undefined {
    const types = oids.map((oid) => this.#types.get(oid))
    return types.includes(undefined) ? undefined : (types as PgType[])
  }

  /**
   * The types of `oids`, in order. A type that was dropped since becomes an unknown one, which is kept as text. Throws
   * Failure `link`.
   */
  async resolve(oids: readonly number[]): Promise<PgType[]> {
    try {
      for (let wanted = new Set(oids); wanted.size > 0;) wanted = await this.#load(wanted)
    } catch (error) {
      throw queryFailure(error)
    }
    return oids.map((oid) => this.#build(oid))
  }

  /** Reads those of `oids` that are new; returns what they are made of. */
  async #load(oids: ReadonlySet<number>): Promise<Set<number>> {
    const absent = [...oids].filter((oid) => !this.#rows.has(oid))
    if (absent.length === 0) return new Set()
    // Multiranges came with PostgreSQL 14: through jsonb an older pg_range just has no such column.
    const text = `
       SELECT t.oid::int8::float8 AS oid, n.nspname AS schema, t.typname AS name, t.typtype::text AS typtype,
              t.typbasetype::int8::float8 AS base, t.typtypmod AS typmod,
              CASE WHEN e.typarray = t.oid THEN e.oid::int8::float8 ELSE 0 END AS element,
              coalesce(e.typdelim::text, ',') AS delimiter,
              coalesce(r.rngsubtype, m.rngtypid, 0)::int8::float8 AS subtype
         FROM pg_catalog.pg_type t
         JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
         LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem
         LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid
         LEFT JOIN pg_catalog.pg_range m ON (to_jsonb(m) ->> 'rngmultitypid')::oid = t.oid
        WHERE t.oid = ANY ($1::oid[])`
    const query = { text, values: [absent], query_timeout: this.#answerWithinMs }
    const { rows } = await this.#control.query<Row>(query)
    for (const row of rows) this.#rows.set(row.oid, row)
    for (const oid of absent) if (!this.#rows.has(oid)) this.#rows.set(oid, unknownRow(oid))
    return new Set(rows.flatMap((row) => [row.base, row.element, row.subtype]).filter((oid) => oid !== 0))
  }

  #build(oid: number): PgType {
    const built = this.#types.get(oid)
    if (built !== undefined) return built
    const row = this.#rows.get(oid)!
    const type: PgType = {
      oid,
      schema: row.schema,
      name: row.name,
      kind: row.element !== 0 ? 'array' : (kinds[row.typtype] ?? 'base'),
      ...(row.base === 0 ? {} : { base: { type: this.#build(row.base), typmod: row.typmod } }),
      ...(row.element === 0 ? {} : { element: { type: this.#build(row.element), delimiter: row.delimiter } }),
      ...(row.subtype === 0 ? {} : { subtype: this.#build(row.subtype) }),
    }
    this.#types.set(oid, type)
    return type
  }
}

function unknownRow(oid: number): Row {
  return {
    oid,
    schema: '',
    name: `oid_${oid}`,
    typtype: 'b',
    base: 0,
    typmod: -1,
    element: 0,
    delimiter: ',',
    subtype: 0,
  }
}
