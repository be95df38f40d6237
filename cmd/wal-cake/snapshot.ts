// `snapshot`: has the running service copy a table again, and shows how far it is. Without a table it shows the copy that runs.
import { setTimeout as delay } from 'node:timers/promises'
import { Failure } from '../../internal/model/failure.js'
import { formatLsn } from '../../internal/model/lsn.js'
import { askForCopy } from '../../internal/pipeline/copying/ask-for-copy.js'
import { isUnderWay, readCopyReport, type CopyReport } from '../../internal/storage/copy-report.js'
import { CopyRequests, type CopyAnswer } from '../../internal/storage/copy-requests.js'
import type { ObjectStore } from '../../internal/storage/object-store.js'
import { CopyBars, summaryOf } from './copy-bars.js'
import type { Invocation } from './main.js'
import { openStore, sessionSettings } from './pieces.js'

const LOOK_MS = 1_000
/** A service looks for requests more often. */
const TAKEN_WITHIN_MS = 30_000

export async function snapshot({ config, logger, version, args, flags }: Invocation): Promise<void> {
  const store = await openStore(config)
  try {
    const [table] = args
    const { where } = flags
    if (table === undefined) {
      if (where !== undefined)
        throw new Failure('config', '--where needs a table', { hint: 'snapshot public.orders --where "id < 1000"' })
      const last = await follow(store, config.slot, (report) =>
        report !== undefined && isUnderWay(report, Date.now()) ? undefined : { report },
      )
      logger.info(last.report === undefined ? 'nothing was copied yet' : `no copy runs: ${summaryOf(last.report)}`)
      return
    }
    const settings = sessionSettings(config, version)
    const id = await askForCopy(settings, store, { table, ...(where === undefined ? {} : { where }) })
    logger.info(
      { table, request: id },
      'requested: the request stays until a service has carried it out, also without this command',
    )
    const answer = await answered(store, config.slot, id, () =>
      logger.warn({ slot: config.slot }, 'no service has begun with it: is one running?'),
    )
    if (answer.outcome === 'refused')
      throw new Failure('config', `${table} was not copied: ${answer.message}`, hintOf(answer.hint))
    logger.info({ table, rows: answer.rows, lsn: formatLsn(answer.lsn) }, 'copied')
  } finally {
    store.close()
  }
}

function hintOf(hint: string | undefined): { hint?: string } {
  return hint === undefined ? {} : { hint }
}

async function answered(store: ObjectStore, slot: string, id: string, onIdle: () => void): Promise<CopyAnswer> {
  const requests = new CopyRequests(store, slot)
  const sinceMs = Date.now()
  let warned = false
  return follow(store, slot, async (report) => {
    const now = Date.now()
    const idle = now - Math.max(sinceMs, report?.writtenMs ?? 0) > TAKEN_WITHIN_MS
    if (idle && !warned) onIdle()
    warned ||= idle
    return requests.takeAnswer(id)
  })
}

/** Shows the copy that runs until `look` has a result. */
async function follow<T>(
  store: ObjectStore,
  slot: string,
  look: (report: CopyReport | undefined) => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const bars = new CopyBars()
  try {
    for (;;) {
      const report = await readCopyReport(store, slot)
      const result = await look(report)
      if (result !== undefined) return result
      if (report !== undefined && isUnderWay(report, Date.now())) bars.show(report, Date.now())
      await delay(LOOK_MS)
    }
  } finally {
    bars.end()
  }
}
