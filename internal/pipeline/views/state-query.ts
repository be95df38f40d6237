// The current state of a table as one query over its log, for every engine: the rule of docs/lake.md. No recursion but that
// which finds where a row whose key was changed several times has begun, and that is the dialect's.
import type { Dialect } from './dialect.js'
import { rowsQuery } from './rows-query.js'
import { StateParts, type Cut } from './state-parts.js'
import type { ViewColumn, ViewTable } from './table-description.js'

/** `log`: what stands behind FROM. `columns`: those that are wanted, the key among them. */
export function stateQuery(
  table: ViewTable,
  columns: readonly ViewColumn[],
  dialect: Dialect,
  log: string,
  cut: Cut,
): string {
  const parts = new StateParts(table, columns, dialect, log, cut)
  if (table.identity === 'rows') return rowsQuery(parts)
  return columns.some(({ isUnsent }) => isUnsent) ? filledQuery(parts) : plainQuery(parts)
}

/** What each change does to a key: one row for each, and one for the key that a whole old row names and the new one has not. */
function steps(parts: StateParts): { keys: string[]; sql: string } {
  const { own, columns, dialect } = parts
  const key = columns.flatMap((column, k) => (column.isKey ? [{ column, k }] : []))
  const now = key.flatMap(({ column, k }) => [parts.column(k), ...parts.raws(column)])
  const before = key.flatMap(({ column }) => {
    const { value, raws } = parts.old(column)
    return [value, ...raws]
  })
  const keys = now.map((_, k) => own(`key${k}`))
  const others = [
    own('lsn'),
    own('seq'),
    own('commit_ts'),
    own('unchanged'),
    own('raw'),
    ...columns.map((_, k) => parts.column(k)),
  ]
  const called = (values: readonly string[], names: readonly string[]): string =>
    values.map((value, k) => `${value} AS ${names[k]!}`).join(', ')
  const comparable = key.every(({ column }) => column.sources.every(({ type }) => !type.list))
  const olds = keys.map((_, k) => own(`old${k}`))
  // Not called as the keys are, which ClickHouse would take for those of the outer query.
  const news = keys.map((_, k) => own(`new${k}`))
  const moved = `
  UNION ALL
  SELECT ${called(olds, keys)}, 'E', 1, ${others.join(', ')}
  FROM (
    SELECT *, ${called(before, olds)}, ${called(now, news)}
    FROM ${own('since')} WHERE ${own('op')} = 'U' AND ${own('before')} IS NOT NULL
  ) ${own('moved')}
  WHERE ${olds.map((old, k) => dialect.differs(old, news[k]!)).join(' OR ')}`
  return {
    keys,
    sql: `${own('steps')} AS (
  SELECT ${called(now, keys)}, ${own('op')}, CASE WHEN ${own('op')} = 'D' THEN 1 ELSE 0 END AS ${own('ends')}, ${others.join(', ')}
  FROM ${own('since')}${comparable ? moved : ''}
)`,
  }
}

/** Where every change has every value. */
function plainQuery(parts: StateParts): string {
  const { own, columns, dialect, position } = parts
  const { keys, sql } = steps(parts)
  const fields = [
    own('ends'),
    own('lsn'),
    own('seq'),
    own('commit_ts'),
    own('raw'),
    ...columns.map((_, k) => parts.column(k)),
  ]
  const row = (name: string): string => dialect.part(own('row'), fields.indexOf(name))
  return `${parts.with([
    ...parts.since(),
    sql,
    `${own('rows')} AS (
  SELECT ${dialect.last(dialect.record(fields), position)} AS ${own('row')}
  FROM ${own('steps')} GROUP BY ${keys.join(', ')}
)`,
  ])}
SELECT ${parts.shown(
    (k) => row(parts.column(k)),
    (name) => row(own(name)),
  )}
FROM ${own('rows')} WHERE ${row(own('ends'))} = 0`
}

/**
 * Where values may be left out. A *life* is that of a row under one key: from the step after an end to the next end. A chain is
 * the lives of one row whose key was changed, each of which begins right after the end of the one before.
 */
function filledQuery(parts: StateParts): string {
  const { own, columns, dialect, position } = parts
  const { keys, sql } = steps(parts)
  const one = { lsn: own('lsn'), seq: own('seq') }
  const isStart = `${own('op')} = 'U' AND ${own('unchanged')} IS NOT NULL`
  const inLog = `OVER (PARTITION BY ${one.lsn} ORDER BY ${one.seq}, ${own('ends')} DESC)`
  const fields = [own('lsn'), own('seq'), own('commit_ts'), own('raw')]
  columns.forEach(({ isUnsent }, k) => !isUnsent && fields.push(parts.column(k)))
  const unsent = columns.flatMap((column, k) => (column.isUnsent ? [{ column, k, sent: own(`sent${k}`) }] : []))
  const row = (name: string): string => dialect.part(own('row'), fields.indexOf(name))
  const part = (record: 'first' | 'end', k: number): string => dialect.part(own(record), k)
  const sentOf = ({ column, k, sent }: (typeof unsent)[number]): string => {
    const record = dialect.record(['1', parts.column(k), ...parts.raws(column)])
    const names = column.sources.map(({ name }) => name)
    return `${dialect.last(record, position, `${own('ends')} = 0 AND NOT ${dialect.hasAny(own('unchanged'), names)}`)} AS ${sent}`
  }
  const began = dialect.positionText(part('first', 0), part('first', 1))
  const goesOn = dialect.positionText(part('end', 0), `${part('end', 1)} + 1`)
  const movesOn = `${part('end', 2)} = 1 AND ${part('end', 3)} = 1`
  const chain = {
    ...{ links: own('links'), own: own('link'), lsn: one.lsn, seq: one.seq },
    ...{ from: own('from'), to: own('to'), at: own('at'), root: own('root'), roots: own('roots') },
  }
  const firstOf = dialect.record([part('first', 0), part('first', 1)])
  const filled = new Map(unsent.map(({ k, sent }) => [k, dialect.part(sent, 1)]))
  const raws = unsent.flatMap(({ column, sent }) =>
    column.sources.filter(({ isRaw }) => isRaw).map(({ name }, k) => [name, dialect.part(sent, 2 + k)] as const),
  )
  const raw = raws.length === 0 ? row(own('raw')) : dialect.withFields(row(own('raw')), raws)
  return `${parts.with(
    [
      ...parts.since(),
      sql,
      `${own('lives')} AS (
  SELECT *,
    coalesce(sum(${own('ends')}) OVER (PARTITION BY ${keys.join(', ')} ORDER BY ${one.lsn}, ${one.seq} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS ${own('life')},
    CASE WHEN ${isStart} AND lag(${own('op')}) ${inLog} = 'D' AND lag(${one.seq}) ${inLog} = ${one.seq} - 1 THEN 1 ELSE 0 END AS ${own('comes')},
    CASE WHEN ${own('op')} = 'D' AND lead(${own('op')}) ${inLog} = 'U' AND lead(${own('unchanged')}) ${inLog} IS NOT NULL AND lead(${one.seq}) ${inLog} = ${one.seq} + 1 THEN 1 ELSE 0 END AS ${own('goes')}
  FROM ${own('steps')}
)`,
      `${own('spans')} AS (
  SELECT min(${dialect.record([one.lsn, one.seq, own('comes')])}) AS ${own('first')},
    max(${dialect.record([one.lsn, one.seq, own('ends'), own('goes')])}) AS ${own('end')},
    ${dialect.last(dialect.record(fields), position, `${own('ends')} = 0`)} AS ${own('row')},
    ${unsent.map(sentOf).join(',\n    ')}
  FROM ${own('lives')} GROUP BY ${keys.join(', ')}, ${own('life')} HAVING min(${own('ends')}) = 0
)`,
      `${own('links')} AS (
  SELECT ${part('first', 0)} AS ${one.lsn}, ${part('first', 1)} AS ${one.seq}, ${began} AS ${own('from')}, ${goesOn} AS ${own('to')}
  FROM ${own('spans')} WHERE ${part('first', 2)} = 1 AND ${movesOn}
)`,
      `${own('roots')} AS (\n  ${dialect.roots(chain)}\n)`,
      `${own('placed')} AS (
  SELECT *, CASE WHEN ${part('first', 2)} = 0 AND ${movesOn} THEN ${goesOn} ELSE ${began} END AS ${own('place')} FROM ${own('spans')}
)`,
      `${own('chains')} AS (
  SELECT ${own('placed')}.*, coalesce(nullif(${own('root')}, ''), ${own('place')}) AS ${own('chain')}
  FROM ${own('placed')} LEFT JOIN ${own('roots')} ON ${own('at')} = ${own('place')}
)`,
      `${own('rows')} AS (
  SELECT ${dialect.last(own('row'), firstOf)} AS ${own('row')}, ${dialect.last(dialect.record([part('end', 2)]), firstOf)} AS ${own('state')},
    ${unsent.map(({ sent }) => `${dialect.last(sent, firstOf, `${dialect.part(sent, 0)} = 1`)} AS ${sent}`).join(',\n    ')}
  FROM ${own('chains')} GROUP BY ${own('chain')}
)`,
    ],
    dialect.recursive,
  )}
SELECT ${parts.shown(
    (k) => filled.get(k) ?? row(parts.column(k)),
    (name) => (name === 'raw' ? raw : row(own(name))),
  )}
FROM ${own('rows')} WHERE ${dialect.part(own('state'), 0)} = 0`
}
