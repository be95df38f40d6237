// What people read about the configuration, all of it made from the table of variables: the help screen, .env.example,
// the page in docs/ and the table in the README. Pure functions; nothing is written here.
import { acceptedText, variableGroups, variables, type Variable } from './variables.js'

const verbs = {
  start: 'stream until stopped (the default)',
  init: 'create publication and slot; --print: rights it takes',
  doctor: 'what a start needs, and what mends it; --json',
  snapshot: 'the copy that runs; TABLE [--where "…"]: copy it again',
  status: 'what the lake holds, how far a copy is; --json',
  tail: 'changes as they come; [TABLE] [--from LSN] [--json]',
  verify: 'lake against database; [--table …] [--sample] [--json]',
  views: '--engine NAME: SQL for the log and state of each table',
  repair: 'after a gap: say what is missing; --yes: go on',
  drop: 'remove the slot; stop the service first',
} as const

/** In the order of the codes, from 0. */
const exitCodes = [
  'done or stopped as asked',
  'unexpected',
  'configuration is wrong',
  'not safe to run',
  'fenced by another writer',
  'gave up after a bounded wait',
] as const

const table: readonly Variable[] = variables

/** The help screen: 80 columns, at most 60 lines, ending with a line feed. */
export function renderHelp(): string {
  const lines = [
    'wal-cake streams PostgreSQL changes into Parquet files, exactly once.',
    '',
    'Usage: ./run.sh [VERB]   configured by environment variables or a file .env',
    ...Object.entries(verbs).map(([verb, effect]) => `  ${verb.padEnd(21)} ${effect}`),
    '  --help, --version',
  ]
  for (const group of variableGroups) {
    lines.push(`${group}:`)
    for (const { name, summary, ...variable } of variablesOf(group)) {
      lines.push(`  ${name.padEnd(21)} ${plain(defaultText(variable)).padEnd(22)} ${summary}`)
    }
  }
  lines.push('Units: ms s m h, KiB MiB GiB KB MB GB. Details: docs/configuration.md')
  const codes = exitCodes.map((meaning, code) => `${code} ${meaning}`)
  lines.push(`Exit codes: ${codes.slice(0, 3).join('; ')};`, `  ${codes.slice(3).join('; ')}`)
  return `${lines.join('\n')}\n`
}

/** A file for `.env`: what is required is set to an example, everything else stands as a comment with its default. */
export function renderEnvExample(): string {
  const lines = [
    '# Copy to .env and change. Everything but the connection string and the place of the lake has a default.',
    "# A value that holds # or blanks goes in single quotes: PG_CONN_STRING='host=db password=…'",
  ]
  for (const group of variableGroups) {
    lines.push('', `# --- ${group}`)
    for (const { name, meaning, example, absent, default: standard } of variablesOf(group)) {
      const comment = absent?.startsWith('required') === true ? '' : '# '
      lines.push(
        '',
        ...wrap(plain(meaning), 110).map((line) => `# ${line}`),
        `${comment}${name}=${standard ?? example}`,
      )
    }
  }
  return `${lines.join('\n')}\n`
}

/** The README's table, without its markers. */
export function renderReadmeTable(): string {
  return markdownTable(
    ['variable', 'default', 'meaning'],
    table.map(({ name, meaning, ...variable }) => [`\`${name}\``, markdownDefault(variable), meaning]),
  )
}

/** docs/configuration.md. */
export function renderConfigurationPage(): string {
  const sections = variableGroups.map((group) => {
    const rows = variablesOf(group).map(({ name, kind, meaning, secret, ...variable }) => [
      `\`${name}\``,
      markdownDefault(variable),
      acceptedText(kind),
      secret === true ? `${meaning} Secret: never shown in a message or a log line.` : meaning,
    ])
    return `## ${group}\n\n${markdownTable(['variable', 'default', 'accepted', 'meaning'], rows)}`
  })
  return `${pageIntroduction}\n${sections.join('\n')}${connectionStringSection}${exitCodeSection()}`
}

const pageIntroduction = `<!-- Generated from internal/config/variables.ts by cmd/wal-cake/generate-docs.ts: change it there. -->

# Configuration

Everything is set by environment variables; \`./run.sh\` also reads a file \`.env\` (see \`.env.example\`).

- A variable that is set to nothing counts as not set. Only \`HTTP_ADDR\` means something when it is empty: off.
- Durations are whole numbers with \`ms\`, \`s\`, \`m\` or \`h\`. Sizes are whole numbers with \`KiB\`, \`MiB\`, \`GiB\` (powers of 1024)
  or \`KB\`, \`MB\`, \`GB\` (powers of 1000). A number without a unit is an error.
- All variables are checked before any connection is made. If some are wrong, the program names every one of them with what
  is accepted and exits with code 2. So it does for a variable that looks like a misspelt one of these, and for unknown ones
  that start with \`S3_\`, \`FLUSH_\`, \`SNAPSHOT_\`, \`UPLOAD_\`, \`ZSTD_\`, \`LAKE_\`, \`PG_SLOT\`, \`PG_PUBLICATION\`, \`PG_CONN\` or \`WAL_CAKE_\`.
`

const connectionStringSection = `
## The connection string

Both forms of [libpq](https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING) are taken:

\`\`\`
postgres://user:p%40ss%2Fword@db.example.com:5432/shop?sslmode=verify-full&sslrootcert=/etc/ssl/db-ca.pem
host=/var/run/postgresql dbname=shop user=replicator password='it\\'s a secret'
\`\`\`

- Parameters: \`host\`, \`port\`, \`user\`, \`password\`, \`dbname\`, \`sslmode\`, \`sslrootcert\`, \`sslcert\`, \`sslkey\`, \`sslpassword\`,
  \`application_name\`, \`connect_timeout\`, \`options\`. Several hosts, \`service\`, \`hostaddr\` and others that could not be obeyed are
  an error.
- What the string leaves out comes from \`PGHOST\`, \`PGPORT\`, \`PGUSER\`, \`PGPASSWORD\`, \`PGDATABASE\`, \`PGSSLMODE\`,
  \`PGSSLROOTCERT\`, \`PGSSLCERT\`, \`PGSSLKEY\`, \`PGAPPNAME\`, \`PGCONNECT_TIMEOUT\`, \`PGOPTIONS\`; then: host \`localhost\`, port 5432,
  the name of the system's user, a database of that name, \`sslmode=prefer\`.
- A host that starts with \`/\` is the directory of a Unix-domain socket, over which there is no TLS.
- In a URL, special characters are percent-encoded (\`@\` is \`%40\`, \`/\` is \`%2F\`, \`%\` is \`%25\`). In the key/value form, a value that
  holds blanks goes in single quotes, and a backslash stands before a single quote or a backslash.

| sslmode | encrypted | the server's certificate |
| --- | --- | --- |
| \`disable\` | no | |
| \`allow\`, \`prefer\` | if the server can | not verified |
| \`require\` | yes | not verified; with \`sslrootcert\` as in \`verify-ca\` |
| \`verify-ca\` | yes | signed by an authority of \`sslrootcert\` (required) |
| \`verify-full\` | yes | the same, and made for this host; without \`sslrootcert\` or with \`sslrootcert=system\` the authorities that Node trusts |
`

function exitCodeSection(): string {
  const rows = exitCodes.map((meaning, code) => [String(code), meaning])
  return `\n## Exit codes\n\n${markdownTable(['code', 'meaning'], rows)}`
}

function variablesOf(group: Variable['group']): Variable[] {
  return table.filter((variable) => variable.group === group)
}

function defaultText(variable: Pick<Variable, 'default' | 'absent'>): string {
  return variable.default ?? variable.absent ?? ''
}

function markdownDefault(variable: Pick<Variable, 'default' | 'absent'>): string {
  return variable.default === undefined ? defaultText(variable) : `\`${variable.default}\``
}

function markdownTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
  return row(heads) + row(heads.map(() => '---')) + rows.map(row).join('')
}

function plain(markdown: string): string {
  return markdown.replaceAll('`', '')
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const line = lines.at(-1)
    if (line !== undefined && line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(word)
  }
  return lines
}
