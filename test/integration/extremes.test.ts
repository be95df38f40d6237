// As much as PostgreSQL takes: 1,600 columns with names of 63 bytes in any script, and a value of 100 MB; in both modes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditLog } from '../support/log-audit.js'
import { makeRig, type Rig } from '../support/rig.js'
import { major } from '../support/table-kind.js'

const MOST_COLUMNS = 1600
const MOST_BYTES = 63
const scripts = ['漢字', 'ня', 'العربية', '😀', 'ελ', 'a\'"b', 'ไทย', 'ÅB']

/** Of 63 bytes or just below, each another. */
function nameOf(column: number): string {
  const letters = Array.from(scripts[column % scripts.length]!)
  let name = `${column}`
  for (let k = 0; Buffer.byteLength(name + letters[k % letters.length]!) <= MOST_BYTES; k++)
    name += letters[k % letters.length]!
  return name
}

const names = ['id', ...Array.from({ length: MOST_COLUMNS - 1 }, (_, k) => nameOf(k))]
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Larger than what the program may hold by its setting, when it comes as text. */
const BIG = `convert_to(repeat(md5('big'), 3276800), 'UTF8')`

test('G8 G10: 1,600 columns, and a value of 100 MB, in binary and in text', async (t) => {
  const binary = await makeRig(t, { lake: 'folder' })
  const text = await makeRig(t, { lake: 'folder', source: binary.source })
  const { source } = binary
  await source.query(`
    CREATE TABLE wide (${names.map((name) => `${quoted(name)} int${name === 'id' ? ' PRIMARY KEY' : ''}`).join(', ')});
    CREATE TABLE large (id int PRIMARY KEY, v bytea);
    ALTER TABLE large ALTER v SET STORAGE EXTERNAL;
    CREATE TABLE texts (id int PRIMARY KEY, v tsvector);
    CREATE PUBLICATION pub_binary FOR TABLE marks, wide, large;
    CREATE PUBLICATION pub_text FOR TABLE marks, wide, large, texts`)
  const services = [
    await binary.stream({ PG_PUBLICATION: 'pub_binary' }),
    await text.stream({ PG_PUBLICATION: 'pub_text' }),
  ]
  await source.query(`INSERT INTO wide VALUES (${names.map((_, k) => k).join(', ')})`)
  await source.query(`UPDATE wide SET ${quoted(names.at(-1)!)} = NULL`)
  await source.query(`INSERT INTO large VALUES (1, ${BIG})`)
  const modes = [(await major(binary)) < 14 ? 'text' : 'binary', 'text']
  for (const [k, rig] of [binary, text].entries()) {
    await rig.caughtUp(services[k]!, { timeoutMs: 180_000 })
    assert.equal(await services[k]!.stop(), 0)
    assert.equal(services[k]!.logged('streaming')[0]?.mode, modes[k])
    await auditLog(rig.lake, rig.slot)
    await assertWide(rig)
    await assertLarge(rig)
    await rig.dropSlot()
  }
})

async function assertWide({ lake }: Rig): Promise<void> {
  for (const rows of [await lake.rows('public.wide'), await lake.rowsByHyparquet('public.wide')]) {
    const [inserted, updated] = rows
    assert.equal(rows.length, 2)
    assert.deepEqual(Object.keys(inserted!).slice(0, MOST_COLUMNS), names)
    assert.deepEqual(Object.values(inserted!).slice(0, MOST_COLUMNS), [...names.keys()])
    assert.deepEqual(Object.values(updated!).slice(0, MOST_COLUMNS), [...[...names.keys()].slice(0, -1), null])
  }
}

async function assertLarge({ lake, source }: Rig): Promise<void> {
  await lake.files('public.large')
  const [found] = await lake.query(
    `SELECT octet_length(v)::VARCHAR AS length, md5(v) AS digest FROM ${lake.from('public.large')}`,
  )
  assert.deepEqual(found, (await source.query(`SELECT length(v)::text AS length, md5(v) AS digest FROM large`))[0])
}
