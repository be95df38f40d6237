// How soon a change is in the lake while another table is copied: a row every 100 ms, and when a file that holds it lies there.
import { join } from 'node:path'
import type pg from 'pg'
import type { Figure } from './figures.js'
import { beatUntil } from './freshness.js'
import { folderPlace } from './lake-place.js'
import { filesInFolder, LakeWatch, latencies, percentile } from './lake-watch.js'
import { dropSlot, pause } from './measuring.js'
import { Program } from './program.js'

const FLUSH_MS = 1_000
const EVERY_MS = 100
/** What 19 of 20 changes may take; the slowest is told too, and a busy machine holds it up. */
const LONGEST_MS = 2 * FLUSH_MS

/** Copies the table `orders` meanwhile. */
export async function freshnessBesideCopy(admin: pg.Client, url: string): Promise<readonly Figure[]> {
  await admin.query(`CREATE TABLE beats (id bigserial PRIMARY KEY); CREATE PUBLICATION beats FOR TABLE orders, beats`)
  const lake = await folderPlace()
  const slot = `bench_${process.hrtime.bigint()}`
  const program = new Program({
    ...{ PG_CONN_STRING: url, PG_SLOT: slot, PG_PUBLICATION: 'beats', ...lake.env },
    ...{ SNAPSHOT: 'initial', SNAPSHOT_WORKERS: '2', FLUSH_INTERVAL: `${FLUSH_MS}ms` },
  })
  const watch = new LakeWatch(filesInFolder(join(lake.folder, 'default', 'data', 'public', 'beats')))
  try {
    await program.logged('copying existing rows')
    const beats = await beatUntil(admin, program.logged('table copied', 'public.orders'), EVERY_MS)
    await pause(LONGEST_MS)
    await program.stop()
    await watch.stop()
    const took = latencies(beats, await watch.rows())
    const figure = { bench: 'copy', subject: `changes beside it, FLUSH_INTERVAL ${FLUSH_MS} ms`, unit: 'ms' }
    return [
      { ...figure, measure: 'in the lake after, p50', value: percentile(took, 0.5) },
      { ...figure, measure: 'in the lake after, p95', value: percentile(took, 0.95), most: LONGEST_MS },
      { ...figure, measure: 'in the lake after, max', value: percentile(took, 1) },
    ]
  } finally {
    await program.end()
    await watch.stop()
    await dropSlot(admin, slot)
    await lake.remove()
  }
}
