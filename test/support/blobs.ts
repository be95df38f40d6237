// A table whose rows are large and do not get smaller by compression: what it takes to fill the program's memory, quickly.
import type { Source } from './rig.js'

export const BLOB_BYTES = 16 * 1024

export async function createBlobs(source: Source): Promise<void> {
  await source.query('CREATE TABLE blobs (id int PRIMARY KEY, body bytea NOT NULL)')
}

/** One transaction. */
export async function insertBlobs(source: Source, from: number, count: number): Promise<void> {
  await source.query(
    `INSERT INTO blobs
     SELECT g, (SELECT string_agg(sha512((g * 256 + k)::text::bytea), '') FROM generate_series(1, 256) k)
       FROM generate_series($1::int, $1 + $2 - 1) g`,
    [from, count],
  )
}
