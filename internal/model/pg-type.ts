// A PostgreSQL type as far as writing its values needs it: what kind it is and what it is made of.

export type PgTypeKind = 'base' | 'domain' | 'enum' | 'array' | 'composite' | 'range' | 'multirange' | 'pseudo'

export interface PgType {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly kind: PgTypeKind
  /** Of a domain: the type under it, and the type modifier that the domain fixes. */
  readonly base?: { readonly type: PgType; readonly typmod: number }
  /** Of an array: its element type and the delimiter of its text form. */
  readonly element?: { readonly type: PgType; readonly delimiter: string }
  /** Of a range: the type of its bounds. Of a multirange: its range type. */
  readonly subtype?: PgType
}

/** The type under any number of domains, with the modifier that holds for its values. */
export function baseType(type: PgType, typmod: number): { type: PgType; typmod: number } {
  let at = { type, typmod }
  while (at.type.base !== undefined) {
    const { type: base, typmod: fixed } = at.type.base
    at = { type: base, typmod: at.typmod === -1 ? fixed : at.typmod }
  }
  return at
}
