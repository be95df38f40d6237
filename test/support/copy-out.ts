// COPY … TO STDOUT into a file: how a whole table comes out of PostgreSQL quickly and in the server's own text form.
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import pg from 'pg'

/** The driver hands what a COPY brings to the query that asked for it. */
class CopyOut extends pg.Query {
  readonly #take: (chunk: Buffer) => void

  constructor(sql: string, take: (chunk: Buffer) => void) {
    super(sql)
    this.#take = take
  }

  handleCopyData({ chunk }: { chunk: Buffer }): void {
    // The driver reads the next message into the same buffer.
    this.#take(Buffer.from(chunk))
  }
}

/** `select` as CSV without a header; NULL is `\N`, never quoted. */
export async function copyToCsv(url: string, select: string, path: string): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'wal-cake test copy',
    options: '-c TimeZone=UTC',
  })
  await client.connect()
  const file = createWriteStream(path)
  try {
    const copy = new CopyOut(`COPY (${select}) TO STDOUT (FORMAT csv, NULL '\\N')`, (chunk) => file.write(chunk))
    // Rejects on 'error'.
    const ended = once(copy, 'end')
    client.query(copy)
    await ended
  } finally {
    file.end()
    await finished(file)
    await client.end()
  }
}
