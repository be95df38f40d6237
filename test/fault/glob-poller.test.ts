// The poller that other tests trust: it must find a change in two files, a file that vanishes, and rows that were replaced,
// and must not mind a file that was written again with the same rows.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { eventually } from '../support/eventually.js'
import { GlobPoller } from '../support/glob-poller.js'
import { folderLake, type Lake } from '../support/lake.js'

const FIRST = 'data/public/a/dt=2026-01-01/1.parquet'
const SECOND = 'data/public/a/dt=2026-01-01/2.parquet'

describe('a reader that globs the data files', () => {
  test('sees every change once where nothing is wrong', async (t) => {
    const { lake, poller } = await polledLake(t)
    await write(lake, SECOND, 10, 19)
    await write(lake, 'data/public/b/dt=2026-01-01/1.parquet', 0, 9)
    await poller.stop()
    assert.deepEqual(poller.faults, [])
    assert.deepEqual(Object.fromEntries(poller.rows), { 'public/a': 20, 'public/b': 10 })
  })

  test('does not mind a file that is written again with the same rows, compressed in another way', async (t) => {
    const { lake, poller } = await polledLake(t)
    await write(lake, FIRST, 0, 9, 'row ', 'snappy')
    await poller.stop()
    assert.deepEqual([poller.faults, poller.rewritten], [[], 1])
  })

  test('finds a change in two files', async (t) => {
    const { lake, poller } = await polledLake(t)
    await write(lake, SECOND, 9, 12)
    await poller.stop()
    assert.equal(poller.faults.length, 1)
    assert.match(poller.faults[0]!, /^\(_lsn, _seq\) of public\/a 9 0 is in .*1\.parquet and in .*2\.parquet$/)
  })

  test('finds a file that is gone, also when it comes back', async (t) => {
    const { lake, poller } = await polledLake(t)
    await rename(lake.path(FIRST), lake.path('aside'))
    await eventually(() => poller.faults.length > 0)
    await rename(lake.path('aside'), lake.path(FIRST))
    await poller.stop()
    assert.deepEqual(poller.faults, [`${FIRST.slice('data/'.length)} was there and is gone`])
  })

  for (const [what, to, note] of [
    ['fewer rows', 8, 'row '],
    ['other values', 9, 'Row '],
  ] as const)
    test(`finds a file that was written again with ${what}`, async (t) => {
      const { lake, poller } = await polledLake(t)
      await write(lake, FIRST, 0, to, note)
      await poller.stop()
      assert.deepEqual(poller.faults, [`${FIRST.slice('data/'.length)} was written again with other rows`])
    })
})

/** A lake with one file, which the poller has seen. */
async function polledLake(t: TestContext): Promise<{ lake: Lake; poller: GlobPoller }> {
  const folder = await mkdtemp(join(tmpdir(), 'wal-cake-glob-'))
  t.after(() => rm(folder, { recursive: true }))
  const lake = folderLake(folder)
  await write(lake, FIRST, 0, 9)
  const poller = new GlobPoller(t, { folder, bucket: undefined })
  await eventually(() => poller.files === 1)
  return { lake, poller }
}

async function write(
  lake: Lake,
  key: string,
  from: number,
  to: number,
  note = 'row ',
  compression = 'zstd',
): Promise<void> {
  const path = lake.path(key)
  await mkdir(dirname(path), { recursive: true })
  const rows = `SELECT i AS _lsn, 0::BIGINT AS _seq, '${note}' || i AS note FROM range(${from}, ${to + 1}) r(i)`
  await lake.query(`COPY (${rows}) TO '${path}.new' (FORMAT parquet, COMPRESSION ${compression})`)
  await rename(`${path}.new`, path)
}
