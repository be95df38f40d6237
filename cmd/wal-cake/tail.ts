// `tail`: changes as they become durable, from the store alone, a line each. `--from LSN`: those of later transactions; `--json`: for programs.
import { once } from 'node:events'
import { TableFilter } from '../../internal/config/table-filter.js'
import { Failure } from '../../internal/model/failure.js'
import { formatMicros } from '../../internal/model/instant.js'
import { formatLsn, parseLsn, type Lsn } from '../../internal/model/lsn.js'
import { changesOf, KnownSchemas, type Change, type ChangedValue } from '../../internal/pipeline/tail/changes.js'
import { commitsFrom, firstBatchAfter } from '../../internal/pipeline/tail/follow-log.js'
import { CommitLog, noLake } from '../../internal/storage/commit-log.js'
import type { Invocation } from './main.js'
import { openStore, patient } from './pieces.js'

/** A value is cut behind so many characters where people read it. */
const SHOWN_CHARACTERS = 80

export async function tail({ config, logger, args, flags }: Invocation): Promise<void> {
  const filter = new TableFilter(args[0])
  const from = flags.from === undefined ? undefined : lsnOf(flags.from)
  const stop = new AbortController()
  process.once('SIGTERM', () => stop.abort()).once('SIGINT', () => stop.abort())
  // Whoever reads has enough, as `head` has.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    stop.abort()
  })
  const opened = await openStore(config)
  const store = patient(opened, stop.signal, logger)
  try {
    const log = new CommitLog(store, config.slot)
    const identity = await log.readIdentity()
    if (identity === undefined) throw noLake(store, config.slot)
    const { totals } = await log.recover()
    if (!totals.tables.some(({ schema, table }) => filter.matches(schema, table)))
      logger.warn({ table: args[0] ?? null }, 'the lake has no such table yet')
    const first = from === undefined ? totals.batch + 1 : await firstBatchAfter(log, from, totals.batch)
    const schemas = new KnownSchemas(store, config.slot)
    const format = flags.json === true ? (change: Change) => jsonOf(change, identity.database) : textOf
    for await (const commit of commitsFrom(log, first, stop.signal)) {
      if (commit.gap !== undefined)
        logger.warn(
          { missing_from: formatLsn(commit.gap.missingFrom), missing_to: formatLsn(commit.endLsn) },
          'a gap: what was done between is not in the lake',
        )
      for await (const change of changesOf(commit, store, schemas, (schema, table) => filter.matches(schema, table))) {
        if (stop.signal.aborted) return
        // Copied rows have no place in the stream.
        if (change.op !== 'S' && from !== undefined && change.lsn <= from) continue
        if (!process.stdout.write(`${format(change)}\n`))
          await once(process.stdout, 'drain', { signal: stop.signal }).catch(() => undefined)
      }
    }
  } catch (error) {
    // A stop ends what is on its way.
    if (!stop.signal.aborted) throw error
  } finally {
    opened.close()
  }
}

function lsnOf(text: string): Lsn {
  try {
    return parseLsn(text)
  } catch {
    throw new Failure('config', `--from: ${text} is no LSN`, { hint: 'Such as 0/16B3748; 0/0 is the beginning.' })
  }
}

const letters = { I: 'c', U: 'u', D: 'd', T: 't', S: 'r' } as const

function jsonOf({ op, before, after, unchanged, ...change }: Change, database: string): string {
  const source = [
    `"db":${JSON.stringify(database)},"schema":${JSON.stringify(change.schema)},"table":${JSON.stringify(change.table)}`,
    `"lsn":"${formatLsn(change.lsn)}","seq":${change.seq},"xid":${change.xid ?? 'null'},"ts_ms":${change.commitMicros / 1000n}`,
  ].join(',')
  const missing = unchanged.length === 0 ? '' : `,"unchanged":${JSON.stringify(unchanged)}`
  return `{"op":"${letters[op]}","before":${rowJson(before)},"after":${rowJson(after)}${missing},"source":{${source}}}`
}

function rowJson(values: readonly ChangedValue[] | undefined): string {
  if (values === undefined) return 'null'
  return `{${values.map((value) => `${JSON.stringify(value.name)}:${valueJson(value)}`).join(',')}}`
}

/** Numbers with all their digits. */
function valueJson({ kind, text }: ChangedValue): string {
  if (text === null) return 'null'
  if (kind === 'boolean') return text === 't' ? 'true' : 'false'
  return kind === 'number' && /^-?\d/.test(text) ? text : JSON.stringify(text)
}

function textOf({ op, schema, table, lsn, commitMicros, before, after, unchanged }: Change): string {
  const shown = (values: readonly ChangedValue[]): string =>
    values.map((value) => `${value.name}=${shortJson(value)}`).join(' ')
  const row = [...(after === undefined ? [] : [shown(after)]), ...unchanged.map((name) => `${name}=(unchanged)`)].join(
    ' ',
  )
  const old = before === undefined ? '' : op === 'D' ? shown(before) : ` (was ${shown(before)})`
  return `${formatMicros(commitMicros)} ${formatLsn(lsn)} ${op} ${schema}.${table} ${row}${old}`.trimEnd()
}

function shortJson(value: ChangedValue): string {
  const json = valueJson(value)
  return json.length <= SHOWN_CHARACTERS ? json : `${json.slice(0, SHOWN_CHARACTERS)}…`
}
