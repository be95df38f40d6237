// PostgreSQL types as the catalogue would describe them, for tests without a server.
import type { PgType } from '../../../../internal/model/pg-type.js'

let nextOid = 90_000

/** A type of pg_catalog; numeric's modifier is made by `numericTypmod`. */
export function builtIn(name: string): PgType {
  return { oid: nextOid++, schema: 'pg_catalog', name, kind: 'base' }
}

export function userType(name: string, kind: PgType['kind'], parts: Partial<PgType> = {}): PgType {
  return { oid: nextOid++, schema: 'public', name, kind, ...parts }
}

export function arrayOf(type: PgType, delimiter = ','): PgType {
  return { oid: nextOid++, schema: type.schema, name: `_${type.name}`, kind: 'array', element: { type, delimiter } }
}

export function domainOver(type: PgType, typmod = -1): PgType {
  return userType('some_domain', 'domain', { base: { type, typmod } })
}

export function numericTypmod(precision: number, scale: number): number {
  return ((precision << 16) | (scale & 0x7ff)) + 4
}
