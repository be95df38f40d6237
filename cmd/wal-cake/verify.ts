// `verify`: proves the lake against the source. `--table NAME`: only these; `--sample`: of each table a part; `--json`: for programs.
import { formatLsn } from '../../internal/model/lsn.js'
import { verify as verifyLake, type Verification, type VerifiedTable } from '../../internal/pipeline/verify/verify.js'
import { gapsJson } from './gap-json.js'
import type { Invocation } from './main.js'
import { NOT_SAFE, openStore, patient, sessionSettings } from './pieces.js'
import { ProgressBar } from './progress-bar.js'
import { formatCount, textTable } from './text-table.js'

/** It has gone far when one of its many calls fails. */
const STORE_ATTEMPTS = 8

export async function verify({ config, logger, version, flags }: Invocation): Promise<void> {
  const opened = await openStore(config)
  const store = patient(opened, new AbortController().signal, logger, STORE_ATTEMPTS)
  const bar = new ProgressBar()
  try {
    const found = await verifyLake({
      ...{
        settings: sessionSettings(config, version),
        store,
        tables: flags.table ?? [],
        sample: flags.sample === true,
      },
      progress: (step, done, of) => bar.show(step, done, of),
    })
    bar.end()
    process.stdout.write(flags.json === true ? `${JSON.stringify(jsonOf(found))}\n` : textOf(found))
    if (!isProved(found)) process.exitCode = NOT_SAFE
  } finally {
    bar.end()
    opened.close()
  }
}

type State = 'equal' | 'different' | 'incomplete' | 'skipped'

/** `incomplete`: rows are missing because those from before were never copied, or not all of them yet. */
function stateOf({ verdict, isCopied }: VerifiedTable): State {
  if (verdict === undefined) return 'skipped'
  if (verdict.isEqual) return 'equal'
  return isCopied ? 'different' : 'incomplete'
}

function isProved({ problems, tables }: Verification): boolean {
  return problems.length === 0 && !tables.some((table) => stateOf(table) === 'different')
}

function jsonOf(found: Verification): object {
  const { lsn, batches, files, gaps, problems, tables } = found
  return {
    proved: isProved(found),
    lsn: formatLsn(lsn),
    ...{ batches, files, problems },
    gaps: gapsJson(gaps),
    tables: tables.map((table) => {
      const { schema, verdict, skipped } = table
      return {
        ...{ schema, table: table.table, state: stateOf(table) },
        rows_in_source: verdict?.rowsInSource ?? null,
        rows_in_lake: verdict?.rowsInLake ?? null,
        rows_sampled: verdict?.sampled ?? null,
        columns_not_compared: verdict?.hidden ?? [],
        differences: verdict?.differences ?? [],
        ...(skipped === undefined ? {} : { why: skipped }),
      }
    }),
  }
}

function textOf(found: Verification): string {
  const { lsn, batches, files, gaps, problems, tables } = found
  const rows = tables.map((table) => {
    const { verdict } = table
    const counts = verdict === undefined ? ['', ''] : [verdict.rowsInSource, verdict.rowsInLake].map(formatCount)
    return [`${table.schema}.${table.table}`, ...counts, stateOf(table)]
  })
  const named = tables.flatMap((table) => {
    const name = `${table.schema}.${table.table}`
    if (table.skipped !== undefined) return [`${name} was not compared: ${table.skipped}`]
    const lines = table.verdict!.differences.map(({ key, what }) => `${name} (${key.join(', ')}): ${what}`)
    const { sampled, hidden } = table.verdict!
    if (hidden.length > 0) lines.push(`${name}: not compared, because hidden from the lake: ${hidden.join(', ')}`)
    if (sampled !== undefined) lines.push(`${name}: ${formatCount(sampled)} rows compared, and the number of all`)
    if (stateOf(table) === 'incomplete')
      lines.push(`${name}: its existing rows are not all in the lake; \`snapshot ${name}\` copies them`)
    return lines
  })
  const gapLines = gaps.map(
    ({ batch, missingFrom, missingTo }) =>
      `a gap is on record: what was done from ${formatLsn(missingFrom)} to ${formatLsn(missingTo)} is missing (batch ${batch})`,
  )
  const verdict = isProved(found)
    ? `proved: ${formatCount(batches)} batches and ${formatCount(files)} files, as of ${formatLsn(lsn)}`
    : `NOT PROVED as of ${formatLsn(lsn)}: ${problems.length} faults of the log and its files, ${tables.filter((table) => stateOf(table) === 'different').length} tables that differ`
  const table = tables.length === 0 ? [] : [textTable(['table', 'rows in source', 'rows in lake', ''], rows), '']
  return `${[...table, ...problems, ...named, ...gapLines, verdict].join('\n')}\n`
}
