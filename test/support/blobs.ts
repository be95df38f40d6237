// A table whose rows are large and do not get smaller by compression: what it takes to fill the program's memory, quickly.
import { randomBytes } from 'node:crypto'
import type { Source } from './rig.js'

export const BLOB_BYTES = 16 * 1024

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
