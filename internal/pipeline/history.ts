// The beginning of a lake's history: publication, identity and slot, in the order in which a failure halfway leaves nothing
// that a second start could misread. Everything that may refuse is asked before anything is created.
import type pg from 'pg'
import { Failure } from '../model/failure.js'
import { formatLsn, type Lsn } from '../model/lsn.js'
import type { Logger } from '../observability/logger.js'
import {
  checkPublishable,
  createPublication,
  readPublication,
  type Publication,
  type Wanted,
} from '../replication/publication.js'
import { createSlot } from '../replication/slot.js'
import type { CommitLog } from '../storage/commit-log.js'
import type { LakeIdentity } from '../storage/log-records.js'
import type { SessionSettings } from './session.js'

export interface History {
  readonly control: pg.Client
  readonly replication: pg.Client
  readonly settings: Pick<SessionSettings, 'slot' | 'publication' | 'tables'>
  readonly log: CommitLog
  readonly identity: LakeIdentity
  readonly logger: Logger
}

/** Creates what is missing and returns the position from which the new slot streams. */
export async function createHistory(history: History): Promise<Lsn> {
  await ensurePublication(history)
  const { settings, logger } = history
  const from = await createSlot(history.replication, settings.slot)
  logger.info({ slot: settings.slot, lsn: formatLsn(from) }, 'slot created')
  return from
}

/** Joins the history of a slot that exists. `adopted`: this lake has nothing of it yet. */
export async function joinHistory(history: History, adopted: boolean): Promise<void> {
  const { control, settings, log, identity, logger } = history
  if (adopted) {
    await ensurePublication(history)
    logger.info({ slot: settings.slot }, 'slot found, adopted for an empty lake')
    return
  }
  const publication = await readPublication(control, settings.publication)
  if (publication === undefined)
    throw new Failure(
      'unsafe',
      `the publication ${settings.publication} is gone, so the server cannot say what changed since`,
      {
        hint: `The server decodes old transactions with the publication as it was then; create it again with the same tables: CREATE PUBLICATION "${settings.publication}" FOR …;`,
      },
    )
  await log.claim(identity)
  reportPublication(publication, settings, logger)
}

/** Claims the lake and creates the publication where it is absent. */
async function ensurePublication({ control, settings, log, identity, logger }: History): Promise<void> {
  const publication = await readPublication(control, settings.publication)
  if (publication !== undefined) {
    await log.claim(identity)
    reportPublication(publication, settings, logger)
    return
  }
  const wanted = wantedTables(settings)
  await checkPublishable(control, settings.publication, wanted)
  await log.claim(identity)
  await createPublication(control, settings.publication, wanted)
  logger.info(
    { publication: settings.publication, tables: wanted.all ? 'all' : wanted.tables.length },
    'publication created',
  )
}

/** What a publication that was found leaves out is said, not mended: whoever made it has decided. */
function reportPublication(publication: Publication, { tables }: History['settings'], logger: Logger): void {
  const { name, tables: published, missing } = publication
  logger.info({ publication: name, tables: published.length }, 'publication found')
  if (published.length === 0)
    logger.warn({ publication: name }, 'the publication names no table, so nothing will be streamed')
  if (missing.length > 0)
    logger.warn({ publication: name, missing: missing.join(', ') }, 'the publication leaves out kinds of change')
  const unpublished = unpublishedNames(publication, tables)
  if (unpublished.length > 0)
    logger.warn(
      {
        publication: name,
        tables: unpublished.map(({ schema, table }) => `${schema}.${table}`).join(', '),
        hint: `ALTER PUBLICATION "${name}" ADD TABLE …; in PostgreSQL`,
      },
      'TABLES names tables that the publication does not publish: nothing of them will be streamed',
    )
}

/** What TABLES names in full and the publication does not publish. */
export function unpublishedNames(
  { tables: published }: Publication,
  tables: History['settings']['tables'],
): History['settings']['tables']['exactNames'] {
  return tables.exactNames.filter(
    (wanted) => !published.some(({ schema, table }) => schema === wanted.schema && table === wanted.table),
  )
}

/** Exact names are published as such; with a pattern everything is, and what does not match is left out here. */
export function wantedTables({ tables }: Pick<History['settings'], 'tables'>): Wanted {
  return tables.isExact ? { all: false, tables: tables.exactNames } : { all: true }
}
