// Compares the rows of a table in the lake with those in the database, value by value. Decides nothing else.
import pg from 'pg'

/** The text of every column of a row. */
export type Cells = readonly (string | null)[]

/** Every row of a table in the database, a text for each of its columns, in a form that databases agree on. */
export async function databaseRows(url: string, table: string): Promise<{ columns: string[]; rows: Cells[] }> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query("SET TimeZone = 'UTC'")
    const described = await client.query<{ name: string; expression: string }>(
      `SELECT attname AS name,
              CASE WHEN atttypid = 'timestamptz'::regtype THEN format('to_char(%I, ''YYYY-MM-DD HH24:MI:SS.US'')', attname)
                   WHEN typcategory = 'A' THEN format('array_to_json(%I)::text', attname)
                   ELSE format('%I::text', attname) END AS expression
         FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
        WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
      [table],
    )
    const expressions = described.rows.map((column) => column.expression)
    const rows = await client.query<(string | null)[]>({
      text: `SELECT ${expressions.join(', ')} FROM ${table}`,
      rowMode: 'array',
    })
    return { columns: described.rows.map((column) => column.name), rows: rows.rows }
  } finally {
    await client.end()
  }
}

/** One line for each row or value that differs; none when both are equal. The order of rows does not matter. */
export function differences(
  columns: readonly string[],
  key: readonly string[],
  database: readonly Cells[],
  lake: readonly Cells[],
): string[] {
  const keyAt = key.map((column) => columns.indexOf(column))
  const nameOf = (row: Cells) => keyAt.map((at) => `${columns[at] ?? '?'}=${row[at] ?? 'NULL'}`).join(' ')
  const found: string[] = []
  const remaining = new Map(database.map((row) => [nameOf(row), row]))
  const seen = new Set<string>()
  for (const row of lake) {
    const name = nameOf(row)
    const expected = remaining.get(name)
    remaining.delete(name)
    if (expected === undefined) found.push(seen.has(name) ? `${name}: twice in the lake` : `${name}: only in the lake`)
    else {
      columns.forEach((column, at) => {
        if (row[at] !== expected[at])
          found.push(`${name}: ${column} is ${shown(row[at])} in the lake, ${shown(expected[at])} in the database`)
      })
    }
    seen.add(name)
  }
  for (const name of remaining.keys()) found.push(`${name}: only in the database`)
  return found
}

function shown(value: string | null | undefined): string {
  if (value === null || value === undefined) return 'NULL'
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
}
