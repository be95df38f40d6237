// COPY … FROM STDIN out of memory: many rows in one record of the server's log.
import pg from 'pg'

/** What the driver hands to a query whose COPY may begin. */
interface CopyTarget {
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
}

class CopyIn extends pg.Query {
  readonly #content: string

  constructor(sql: string, content: string) {
    super(sql)
    this.#content = content
  }

  handleCopyInResponse(target: CopyTarget): void {
    target.sendCopyFromChunk(Buffer.from(this.#content))
    target.endCopyFrom()
  }
}

/** `sql`: a COPY with FORMAT csv and NULL as `\N`. */
export async function copyRows(
  client: pg.Client,
  sql: string,
  rows: readonly (readonly (string | null)[])[],
): Promise<void> {
  const lines = rows.map((row) => row.map((text) => (text === null ? '\\N' : quoted(text))).join(','))
  const copy = new CopyIn(sql, lines.map((line) => `${line}\n`).join(''))
  await new Promise<void>((resolve, reject) => {
    copy.once('end', () => resolve())
    copy.once('error', reject)
    client.query(copy)
  })
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}
