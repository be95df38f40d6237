// The views for Spark: temporary ones, which need no catalogue.
import { headKey } from '../../../storage/keys.js'
import { identifier, literal, spark as dialect, sparkType } from '../dialects/spark.js'
import type { Engine, LakePlace, NamedTable } from '../engine.js'
import { stateQuery } from '../state-query.js'
import { filesColumns } from '../table-description.js'

const HEAD = 'wal_cake_head'

export const spark: Engine = {
  naming: { fit: (name) => name, flat: true, reserved: HEAD },
  asksForTime: false,
  first: ({ root, slot }) => [
    `CREATE OR REPLACE TEMPORARY VIEW ${HEAD} (end_lsn STRING)
USING json OPTIONS (path ${literal(pathOf(`${root}/${headKey(slot)}`))}, multiLine 'true')`,
  ],
  views: (table, place, asOf) => {
    const { description, names } = table
    const view = (name: string): string => `CREATE OR REPLACE TEMPORARY VIEW ${identifier(name)}`
    const statements = [`${view(names.log)} ${logSource(table, place)}`]
    if (typeof description.identity !== 'string') return statements
    const cut = asOf === undefined ? { end: endOfHead } : { end: endOfHead, time: `TIMESTAMP '${asOf}+00:00'` }
    const columns = description.columns.filter(({ isThere }) => asOf !== undefined || isThere)
    const sql = stateQuery(description, columns, dialect, identifier(names.log), cut)
    return [...statements, `${view(asOf === undefined ? names.state : names.asOf)} AS\n${sql}`]
  },
  notes: ['A view has the files that were there when it was made: run all of this again for newer ones.'],
}

function logSource({ description, folder }: NamedTable, { root }: LakePlace): string {
  const columns = filesColumns(description).map(({ name, type }) => `  ${identifier(name)} ${sparkType(type)}`)
  const path = literal(pathOf(`${root}/${folder}`))
  return `(\n${columns.join(',\n')}\n) USING parquet OPTIONS (path ${path}, datetimeRebaseMode 'CORRECTED')`
}

/** Spark's file system for buckets has a scheme of its own. */
function pathOf(path: string): string {
  return path.replace(/^s3:/, 's3a:')
}

const halves = `split(end_lsn, '/')`
/** Where the newest commit ends, as an integer. */
const endOfHead = `(SELECT CAST(conv(concat(${halves}[0], lpad(${halves}[1], 8, '0')), 16, 10) AS BIGINT) FROM ${HEAD})`
