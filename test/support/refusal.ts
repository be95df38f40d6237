// What a refusal to run has to look like: one fatal line that names the thing and the way out, the exit code of the
// contract, within the time that any exit is given, and nothing changed anywhere.
import assert from 'node:assert/strict'
import type { Rig, Source } from './rig.js'
import type { Service } from './service.js'

export interface Refusal {
  readonly code: 2 | 3 | 4 | 5
  /** Each is found in the message or in the hint. */
  readonly says: readonly RegExp[]
}

interface FatalLine {
  readonly msg?: string
  readonly err?: { readonly message?: string; readonly hint?: string; readonly stack?: string }
}

export async function assertRefused(service: Service, { code, says }: Refusal): Promise<void> {
  const exit = await service.waitForExit()
  const shown = service.lines.map((line) => JSON.stringify(line)).join('\n')
  assert.equal(exit.code, code, shown)
  const fatal = service.logged((line) => line.level === 'fatal') as FatalLine[]
  assert.equal(fatal.length, 1, `one fatal line:\n${shown}`)
  const text = `${fatal[0]!.msg ?? ''}\n${fatal[0]!.err?.hint ?? ''}`
  for (const pattern of says) assert.match(text, pattern)
  assert.equal(fatal[0]!.err?.stack, undefined, `no stack of the program:\n${shown}`)
  assert.notEqual(fatal[0]!.err?.hint ?? '', '', `a way out:\n${shown}`)
}

/** Everything that a start may create or move, as a value to compare. */
export async function footprint(rig: Rig): Promise<unknown> {
  const [slots, publications, objects] = [await slotsOf(rig), await publicationsOf(rig.source), await rig.lake.keys()]
  return { slots, publications, objects }
}

/** A slot of another kind, or of another database, may have the name too. */
async function slotsOf({ source, slot }: Rig): Promise<unknown[]> {
  return source.query(
    `SELECT slot_name, plugin, confirmed_flush_lsn::text FROM pg_replication_slots
      WHERE database = current_database() OR slot_name = $1 ORDER BY 1`,
    [slot],
  )
}

async function publicationsOf(source: Source): Promise<unknown[]> {
  return source.query(
    `SELECT p.pubname, p.puballtables, array_agg(r.prrelid::regclass::text ORDER BY 1) AS tables
       FROM pg_publication p LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid GROUP BY 1, 2 ORDER BY 1`,
  )
}
