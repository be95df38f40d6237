// What a superuser runs once so that the service gets along with a role that may do little: text, no connection.
import pg from 'pg'
import { namesNoRow, publicationStatement, type Wanted } from './publication.js'

interface LikeName {
  readonly schema: string
  readonly table: string
}

export interface RoleNeeds {
  readonly database: string
  /** The role that streams. */
  readonly user: string
  readonly publication: string
  readonly wanted: Wanted
  /** Roles that read existing rows, of the tables in `taken`; absent: nobody does. */
  readonly readers?: readonly string[]
  /** Patterns of LIKE; all tables where `include` is empty. */
  readonly taken?: { readonly include: readonly LikeName[]; readonly exclude: readonly LikeName[] }
}

/** SQL in one transaction that may be run again; ends with a line feed. Holds no password. */
export function roleScript(needs: RoleNeeds): string {
  const { database, user, publication, readers = [] } = needs
  const [role, catalog] = [user, database].map((name) => pg.escapeIdentifier(name))
  const others = readers.filter((reader) => reader !== user)
  const lines = [
    `-- Run as a superuser in the database ${catalog!.replaceAll('\n', ' ')}. A password is set afterwards, in psql: \\password ${role!.replaceAll('\n', ' ')}`,
    '-- RDS, Aurora: leave REPLICATION out and run GRANT rds_replication TO the role as well.',
    '-- Cloud SQL, Azure: run it as the administrator of the instance, who may give REPLICATION there.',
    'BEGIN;',
    ...roleStatements(user, 'LOGIN REPLICATION'),
    ...others.flatMap((reader) => roleStatements(reader, 'LOGIN')),
    `GRANT CONNECT ON DATABASE ${catalog} TO ${[user, ...others].map((name) => pg.escapeIdentifier(name)).join(', ')};`,
    '',
    ...(readers.length === 0 ? [] : readingStatements(readers, needs.taken!)),
    '-- The publication belongs to whoever runs this, so that the role need not own tables. Without a key of its own or REPLICA IDENTITY,',
    '-- a published table refuses UPDATE and DELETE: so nothing is published where there is one.',
    ...block(publicationStatements(publication, needs.wanted), 'keyless text'),
    'COMMIT;',
  ]
  return `${lines.join('\n')}\n`
}

function roleStatements(name: string, attributes: string): string[] {
  const role = pg.escapeIdentifier(name)
  return [
    ...block([
      `IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = ${pg.escapeLiteral(name)}) THEN`,
      `  CREATE ROLE ${role};`,
      'END IF;',
    ]),
    `ALTER ROLE ${role} ${attributes};`,
  ]
}

function readingStatements(readers: readonly string[], taken: NonNullable<RoleNeeds['taken']>): string[] {
  const roles = readers.map((name) => pg.escapeLiteral(name)).join(', ')
  return [
    '-- Existing rows are read with SELECT, those of a partition by its own name. Tables that are made later need it too: run this again,',
    '-- or ALTER DEFAULT PRIVILEGES FOR ROLE their_owner IN SCHEMA their_schema GRANT SELECT ON TABLES TO the role.',
    ...block(
      [
        'FOR t IN',
        '  SELECT n.nspname AS schema, c.relname AS name, r.role',
        '    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace',
        '    JOIN pg_catalog.pg_class root ON root.oid = coalesce(pg_partition_root(c.oid), c.oid)',
        '    JOIN pg_catalog.pg_namespace rootn ON rootn.oid = root.relnamespace',
        `    CROSS JOIN unnest(ARRAY[${roles}]) AS r(role)`,
        `   WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'`,
        `     AND (${takenCondition('n', 'c', taken)} OR ${takenCondition('rootn', 'root', taken)})`,
        'LOOP',
        `  EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', t.schema, t.role);`,
        `  EXECUTE format('GRANT SELECT ON %I.%I TO %I', t.schema, t.name, t.role);`,
        'END LOOP;',
      ],
      't record',
    ),
    '',
  ]
}

/** SQL: `n` of pg_namespace and `c` of pg_class are a table that is taken. */
function takenCondition(n: string, c: string, { include, exclude }: NonNullable<RoleNeeds['taken']>): string {
  const anyOf = (names: readonly LikeName[]): string =>
    names
      .map(
        ({ schema, table }) =>
          `${n}.nspname LIKE ${pg.escapeLiteral(schema)} AND ${c}.relname LIKE ${pg.escapeLiteral(table)}`,
      )
      .join(' OR ')
  const conditions = [
    ...(include.length === 0 ? [] : [`(${anyOf(include)})`]),
    ...(exclude.length === 0 ? [] : [`NOT (${anyOf(exclude)})`]),
  ]
  return conditions.length === 0 ? 'true' : `(${conditions.join(' AND ')})`
}

function publicationStatements(name: string, wanted: Wanted): string[] {
  const literal = pg.escapeLiteral(name)
  const chosen = wanted.all
    ? 'true'
    : `(${wanted.tables.map(({ schema, table }) => `n.nspname = ${pg.escapeLiteral(schema)} AND c.relname = ${pg.escapeLiteral(table)}`).join(' OR ')})`
  return [
    `IF EXISTS (SELECT FROM pg_catalog.pg_publication WHERE pubname = ${literal}) THEN RETURN; END IF;`,
    `SELECT string_agg(c.oid::regclass::text, ', ') INTO keyless`,
    '  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace',
    ` WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'`,
    `   AND ${chosen} AND ${namesNoRow};`,
    'IF keyless IS NOT NULL THEN',
    `  RAISE EXCEPTION 'without a key, so UPDATE and DELETE would fail: %', keyless USING HINT = 'ALTER TABLE … REPLICA IDENTITY FULL, or name other tables in TABLES.';`,
    'END IF;',
    `${publicationStatement(name, wanted)};`,
  ]
}

/** A DO block. A name may hold its tag, and then the tag is another one. */
function block(statements: readonly string[], declared?: string): string[] {
  const body = statements.join('\n')
  let tag = '$do$'
  for (let k = 0; body.includes(tag); k++) tag = `$do${k}$`
  const declarations = declared === undefined ? [] : [`DECLARE ${declared};`]
  return [`DO ${tag}`, ...declarations, 'BEGIN', ...statements.map((line) => `  ${line}`), `END ${tag};`]
}
