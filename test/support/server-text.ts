// SQL for DuckDB that prints a column of the lake as PostgreSQL prints its value, so that the two can be compared as text.
// Types that both print alike are left to DuckDB.

/** `type`: as DuckDB calls it. */
export function serverText(column: string, type: string): string {
  const name = quoteName(column)
  if (type.endsWith('[]'))
    return `'{' || array_to_string(list_transform(${name}, lambda item: ${element('item::VARCHAR')}), ',') || '}'`
  if (type === 'BLOB') return `'\\x' || lower(hex(${name}))`
  // A whole number has no fraction there.
  if (type === 'FLOAT' || type === 'DOUBLE') return `regexp_replace(${name}::VARCHAR, '\\.0$', '')`
  return `${name}::VARCHAR`
}

/** https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO */
function element(text: string): string {
  return `CASE WHEN item IS NULL THEN 'NULL'
    WHEN regexp_matches(${text}, '^$|^(?i:null)$|[{},"\\\\\\s]') THEN '"' || regexp_replace(${text}, '(["\\\\])', '\\\\\\1', 'g') || '"'
    ELSE ${text} END`
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
