// Built-in types as the catalogue describes them, for tests without a server.
import type { PgType } from '../../internal/model/pg-type.js'
import type { RelationColumn } from '../../internal/model/relation.js'

const oids = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  text: 25,
  float4: 700,
  float8: 701,
  varchar: 1043,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  numeric: 1700,
  tsvector: 3614,
  uuid: 2950,
  jsonb: 3802,
} as const
export type BuiltinName = keyof typeof oids | '_int4'

const INT4_ARRAY = 1007

const types = new Map<number, PgType>(
  Object.entries(oids).map(([name, oid]) => [oid, { oid, schema: 'pg_catalog', name, kind: 'base' }]),
)
types.set(INT4_ARRAY, {
  oid: INT4_ARRAY,
  schema: 'pg_catalog',
  name: '_int4',
  kind: 'array',
  element: { type: types.get(oids.int4)!, delimiter: ',' },
})

export function builtinTypes(wanted: readonly number[]): PgType[] {
  return wanted.map((oid) => {
    const type = types.get(oid)
    if (type === undefined) throw new Error(`no built-in type ${oid} in the tests`)
    return type
  })
}

/** A column of a built-in type. */
export function columnOf(name: string, type: BuiltinName, isKey = false, typmod = -1): RelationColumn {
  return { name, typeOid: type === '_int4' ? INT4_ARRAY : oids[type], typmod, isKey }
}

/** The type modifier of numeric(precision, scale). */
export function numericTypmod(precision: number, scale: number): number {
  return ((precision << 16) | scale) + 4
}
