// The current state of a table without a key: as many rows with the same values as came, without those that went. A row that
// the lake has never seen may go too; that takes nothing away.
import type { StateParts } from './state-parts.js'

export function rowsQuery(parts: StateParts): string {
  const { own, columns } = parts
  const values = columns.map((_, k) => parts.column(k))
  const raws = columns.flatMap((column) => parts.raws(column))
  const told = [...values, ...raws.map((_, k) => own(`raw${k}`))]
  const others = [own('lsn'), own('seq'), own('commit_ts'), own('raw')]
  const named = (rows: readonly string[]): string => rows.map((raw, k) => `${raw} AS ${own(`raw${k}`)}`).join(', ')
  const list = (...names: readonly string[]): string => names.filter((name) => name !== '').join(', ')
  const old = columns.map((column) => parts.old(column))
  const hasOld = columns.every(({ sources }) => sources.every(({ type }) => !type.list))
  const copied = `coalesce((SELECT max(${own('lsn')}) FROM ${own('since')} WHERE ${own('op')} = 'S'), -1)`
  const going = `
  UNION ALL
  SELECT ${list('-1', ...others, ...old.map(({ value }) => value), ...old.flatMap((column) => column.raws))}
  FROM ${own('since')} WHERE ${own('op')} = 'U' AND ${own('before')} IS NOT NULL AND ${own('lsn')} > ${copied}`
  const sameRow = `PARTITION BY ${told.length === 0 ? '1' : told.join(', ')}`
  return `${parts.with([
    ...parts.since(),
    `${own('steps')} AS (
  SELECT ${list(`CASE WHEN ${own('op')} = 'D' THEN -1 ELSE 1 END AS ${own('n')}`, ...others, ...values, named(raws))}
  FROM ${own('since')} WHERE ${own('op')} = 'S' OR ${own('lsn')} > ${copied}${hasOld ? going : ''}
)`,
    `${own('sums')} AS (
  SELECT *, sum(${own('n')}) OVER (${sameRow} ORDER BY ${own('lsn')}, ${own('seq')}, ${own('n')} ROWS UNBOUNDED PRECEDING) AS ${own('sum')}
  FROM ${own('steps')}
)`,
    `${own('counts')} AS (
  SELECT *, sum(${own('n')}) OVER (${sameRow}) AS ${own('all')}, min(${own('sum')}) OVER (${sameRow}) AS ${own('least')},
    row_number() OVER (${sameRow} ORDER BY ${own('n')} DESC, ${own('lsn')} DESC, ${own('seq')} DESC) AS ${own('number')}
  FROM ${own('sums')}
)`,
  ])}
SELECT ${parts.shown(
    (k) => parts.column(k),
    (name) => own(name),
  )}
FROM ${own('counts')}
WHERE ${own('n')} = 1 AND ${own('number')} <= ${own('all')} - CASE WHEN ${own('least')} < 0 THEN ${own('least')} ELSE 0 END`
}
