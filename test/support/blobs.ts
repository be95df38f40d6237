// A table whose rows are large and do not get smaller by compression: what it takes to fill the program's memory, quickly.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { replicationBytes, standsStill } from './proxied-rig.js'
import type { Source } from './rig.js'
import type { TcpProxy } from './tcp-proxy.js'

export const BLOB_BYTES = 16 * 1024

/** A busy machine may give a program nothing for a part of it. */
const STILL_MS = 1_000

export async function createBlobs(source: Source): Promise<void> {
  await source.query('CREATE TABLE blobs (id int PRIMARY KEY, body bytea NOT NULL)')
  // Compressing them would only cost time.
  await source.query('ALTER TABLE blobs ALTER body SET STORAGE EXTERNAL')
}

/** One transaction. */
export async function insertBlobs(source: Source, from: number, count: number): Promise<void> {
  await source.query(
    `INSERT INTO blobs
     SELECT $1 + k, substring($3::bytea FROM k * ${BLOB_BYTES} + 1 FOR ${BLOB_BYTES}) FROM generate_series(0, $2::int - 1) k`,
    [from, count, randomBytes(count * BLOB_BYTES)],
  )
}

/**
 * Inserts until the program stops reading before it has all. How much that takes depends on the machine: beside what the
 * program may hold, buffers of the kernel take some tens of MiB. Returns how many rows, and how many bytes were read.
 */
export async function insertUnreadBlobs(source: Source, proxy: TcpProxy): Promise<{ rows: number; read: number }> {
  for (let rows = 0; rows < 100 * 128;) {
    for (let part = 0; part < 20; part++, rows += 128) await insertBlobs(source, rows, 128)
    const read = await standsStill(() => replicationBytes(proxy).toClient, STILL_MS)
    if (read < rows * BLOB_BYTES) return { rows, read }
  }
  return assert.fail('200 MiB were read, and nothing could be written')
}
