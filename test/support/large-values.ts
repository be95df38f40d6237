// A table of large values that do not compress, so that its data files go up in parts; with their digests, so that a reader
// can tell that each is whole.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import pg from 'pg'
import type { Lake } from './lake.js'
import type { Source } from './rig.js'

const VALUE_BYTES = 1 << 20

export async function createLargeValues(source: Source): Promise<void> {
  await source.query('CREATE TABLE large (id bigserial PRIMARY KEY, digest text, content bytea)')
  // Compressing them would only cost time.
  await source.query('ALTER TABLE large ALTER content SET STORAGE EXTERNAL')
}

/** One transaction with so many values of 1 MiB, all different. */
export async function insertLargeValues(source: Source, count: number): Promise<void> {
  const client = new pg.Client({ connectionString: source.url, application_name: 'wal-cake test load' })
  await client.connect()
  try {
    await client.query('BEGIN')
    for (let value = 0; value < count; value++) {
      const content = randomBytes(VALUE_BYTES)
      const digest = createHash('md5').update(content).digest('hex')
      await client.query('INSERT INTO large (digest, content) VALUES ($1, $2)', [digest, content])
    }
    await client.query('COMMIT')
  } finally {
    await client.end()
  }
}

/** Fails where not every value is in the lake, once and whole. Gives their number. `name`: of a table like that one. */
export async function assertLargeValues(source: Source, lake: Lake, name = 'large'): Promise<number> {
  const [table] = await source.query<{ count: string; digest: string | null }>(
    `SELECT count(*)::text AS count, md5(string_agg(digest, '' ORDER BY id)) AS digest FROM ${name}`,
  )
  if ((await lake.files(`public.${name}`)).length === 0) {
    assert.equal(table?.count, '0')
    return 0
  }
  const [found] = await lake.query(
    `SELECT count(*)::varchar AS count, md5(string_agg(md5(content), '' ORDER BY id)) AS digest FROM ${lake.from(`public.${name}`)}`,
  )
  assert.deepEqual(found, table)
  return Number(table?.count)
}
