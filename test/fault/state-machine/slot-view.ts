// Where a slot stands, asked on one connection again and again while the server is stopped and started.
import pg from 'pg'
import { lsn } from '../../support/lsn-text.js'

export class SlotView {
  /** Questions that found the server away. */
  unanswered = 0
  readonly #url: string
  readonly #slot: string
  #client: pg.Client | undefined

  constructor(url: string, slot: string) {
    this.#url = url
    this.#slot = slot
  }

  /** Undefined while nobody answers, or there is no slot. */
  async confirmed(): Promise<bigint | undefined> {
    try {
      this.#client ??= await this.#connect()
      const { rows } = await this.#client.query<{ lsn: string | null }>(
        'SELECT confirmed_flush_lsn AS lsn FROM pg_replication_slots WHERE slot_name = $1',
        [this.#slot],
      )
      const text = rows[0]?.lsn
      return typeof text === 'string' ? lsn(text) : undefined
    } catch {
      this.unanswered++
      await this.close()
      return undefined
    }
  }

  async close(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    await client?.end().catch(() => undefined)
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.#url, application_name: 'wal-cake test watch' })
    client.on('error', () => undefined)
    await client.connect()
    return client
  }
}
