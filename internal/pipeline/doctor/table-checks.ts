// The publication and its tables: is everything published that is wanted, what will its changes lack, and may existing rows be
// read? Reads only.
import pg from 'pg'
import type { ServerFacts } from '../../replication/server.js'
import { TypeCatalog } from '../../replication/type-catalog.js'
import { checkPublishable, namesNoRow, readPublication, type Publication } from '../../replication/publication.js'
import { checkFindings, findColumns } from '../hidden-columns.js'
import { unpublishedNames, wantedTables } from '../history.js'
import type { SessionSettings } from '../session.js'
import { streamMode } from '../stream-mode.js'
import { attempt, failed, ok, someOf, warning, type Check } from './check.js'

const ANSWER_WITHIN_MS = 10_000

type Wanted = Pick<SessionSettings, 'publication' | 'tables' | 'columns' | 'hash' | 'snapshot' | 'target'>

export async function tableChecks(control: pg.Client, facts: ServerFacts, settings: Wanted): Promise<readonly Check[]> {
  const publication = await readPublication(control, settings.publication)
  const columns = await attempt('columns', () => columnChecks(control, facts, settings))
  if (publication === undefined)
    return [...(await attempt('publication', () => absentPublication(control, settings))), ...columns]
  return [
    ...coverage(publication, settings),
    ...columns,
    ...(await attempt('replica identity', () => identityChecks(control, settings))),
    ...(await attempt('partitions', () => partitionCheck(control, settings))),
    ...(await attempt('not published', () => unloggedCheck(control))),
    ...(await attempt('stream', () => modeCheck(control, facts, settings))),
    ...(settings.snapshot === 'never' ? [] : await attempt('reading', () => readingChecks(control, settings))),
  ]
}

async function absentPublication(control: pg.Client, settings: Wanted): Promise<Check> {
  const { publication } = settings
  await checkPublishable(control, publication, wantedTables(settings))
  return ok('publication', `${publication} is not there yet; the first start creates it`)
}

function coverage(publication: Publication, { tables }: Wanted): readonly Check[] {
  const { name, tables: published, missing } = publication
  const quoted = pg.escapeIdentifier(name)
  const taken = published.filter(({ schema, table }) => tables.matches(schema, table))
  const unpublished = unpublishedNames(publication, tables)
  const subject = 'publication'
  return [
    taken.length === 0
      ? failed(subject, `${name} publishes nothing that is wanted`, `ALTER PUBLICATION ${quoted} ADD TABLE …;`)
      : ok(subject, `${name} publishes ${published.length} tables, of which ${taken.length} are taken`),
    ...(missing.length === 0
      ? []
      : [
          warning(
            subject,
            `${name} leaves out ${missing.join(', ')}`,
            `ALTER PUBLICATION ${quoted} SET (publish = 'insert, update, delete, truncate');`,
          ),
        ]),
    ...(unpublished.length === 0
      ? []
      : [
          failed(
            subject,
            `TABLES names what ${name} does not publish: ${someOf(unpublished.map(({ schema, table }) => `${schema}.${table}`))}`,
            `ALTER PUBLICATION ${quoted} ADD TABLE ${unpublished.map(({ schema, table }) => `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`).join(', ')};`,
          ),
        ]),
  ]
}

/** What EXCLUDE_COLUMNS and HASH_COLUMNS name. */
async function columnChecks(control: pg.Client, facts: ServerFacts, settings: Wanted): Promise<readonly Check[]> {
  if (settings.columns.isEmpty) return []
  const subject = 'columns'
  const findings = await findColumns(control, settings, facts.version)
  checkFindings(findings)
  const { withoutColumn } = findings
  if (withoutColumn.length === 0) return [ok(subject, 'every item of EXCLUDE_COLUMNS and HASH_COLUMNS names a column')]
  return withoutColumn.map(({ variable, item }) =>
    warning(
      subject,
      `${item} matches no column of a published table`,
      `Check ${variable}: upper and lower case differ.`,
    ),
  )
}

/** SQL: the published tables of $1, as `c` of pg_class with their schema `n`. */
const publishedTables = `pg_catalog.pg_publication_tables p
  JOIN pg_catalog.pg_namespace n ON n.nspname = p.schemaname
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename
 WHERE p.pubname = $1`

interface TableRow {
  readonly schema: string
  readonly name: string
  readonly table: string
}

/** Names as SQL has them, of the published tables that are taken and for which the condition holds. */
async function tablesWhere(control: pg.Client, { publication, tables }: Wanted, condition: string): Promise<string[]> {
  const { rows } = await control.query<TableRow>(
    `SELECT n.nspname AS schema, c.relname AS name, c.oid::regclass::text AS table FROM ${publishedTables} AND ${condition} ORDER BY 1, 2`,
    [publication],
  )
  return rows.filter(({ schema, name }) => tables.matches(schema, name)).map(({ table }) => table)
}

async function identityChecks(control: pg.Client, settings: Wanted): Promise<readonly Check[]> {
  const subject = 'replica identity'
  const refused = await tablesWhere(control, settings, namesNoRow)
  if (refused.length === 0) return [ok(subject, 'updates and deletes of every table name their row')]
  return [
    warning(
      subject,
      `PostgreSQL refuses UPDATE and DELETE on ${someOf(refused)}, published without a key`,
      `ALTER TABLE ${refused[0]!} REPLICA IDENTITY FULL; -- or give each a primary key`,
    ),
  ]
}

async function partitionCheck(control: pg.Client, settings: Wanted): Promise<readonly Check[]> {
  const { rows } = await control.query<{ viaroot: boolean }>(
    'SELECT pubviaroot AS viaroot FROM pg_catalog.pg_publication WHERE pubname = $1',
    [settings.publication],
  )
  const leaves = await tablesWhere(control, settings, 'c.relispartition')
  if (rows[0]!.viaroot || leaves.length === 0) return []
  return [
    warning(
      'partitions',
      `each is a table of its own in the lake: ${someOf(leaves)}`,
      `ALTER PUBLICATION ${pg.escapeIdentifier(settings.publication)} SET (publish_via_partition_root = true); -- makes them one table`,
    ),
  ]
}

/** What is in no WAL is in no stream. */
async function unloggedCheck(control: pg.Client): Promise<readonly Check[]> {
  const { rows } = await control.query<{ table: string }>(
    `SELECT c.oid::regclass::text AS table FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'u' AND n.nspname !~ '^pg_' ORDER BY 1`,
  )
  if (rows.length === 0) return []
  const tables = rows.map(({ table }) => table)
  return [
    warning(
      'not published',
      `unlogged tables have no WAL and cannot be streamed: ${someOf(tables)}`,
      `ALTER TABLE ${tables[0]!} SET LOGGED;`,
    ),
  ]
}

async function modeCheck(control: pg.Client, facts: ServerFacts, settings: Wanted): Promise<Check> {
  const mode = await streamMode(control, new TypeCatalog(control, ANSWER_WITHIN_MS), settings, facts)
  if (mode.binary) return ok('stream', 'in binary')
  return warning(
    'stream',
    `in text, which is slower: ${mode.why}`,
    'Leave the column out of the publication (PostgreSQL 15 and later).',
  )
}

async function readingChecks(control: pg.Client, settings: Wanted): Promise<readonly Check[]> {
  const subject = 'reading'
  const role = pg.escapeIdentifier(settings.target.user)
  const unreadable = await tablesWhere(
    control,
    settings,
    `(NOT has_schema_privilege(n.oid, 'USAGE') OR NOT has_any_column_privilege(c.oid, 'SELECT'))`,
  )
  const hidden = await tablesWhere(control, settings, `row_security_active(c.oid)`)
  return [
    unreadable.length === 0
      ? ok(subject, 'existing rows of every table may be read')
      : failed(
          subject,
          `existing rows cannot be copied from ${someOf(unreadable)}`,
          `GRANT SELECT ON ${unreadable[0]!} TO ${role}; -- and USAGE on its schema`,
        ),
    ...(hidden.length === 0
      ? []
      : [failed(subject, `row level security hides rows of ${someOf(hidden)}`, `ALTER ROLE ${role} BYPASSRLS;`)]),
  ]
}
