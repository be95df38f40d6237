// The server's process behind the replication connection of this process's last session. A server that never learnt that a
// link is gone goes on holding the slot: until wal_sender_timeout, and where that is 0 for hours. We need not wait.
import type pg from 'pg'
import { sqlState } from './connection.js'

export class LastWalsender {
  #known: { readonly pid: number; readonly startedAt: string } | undefined

  /** Remembers the process behind `replication`. */
  async remember(replication: pg.Client): Promise<void> {
    const { rows } = await replication.query<{ pid: number; started_at: string }>(
      `SELECT pid, backend_start::text AS started_at FROM pg_catalog.pg_stat_activity WHERE pid = pg_backend_pid()`,
    )
    const [row] = rows
    this.#known = row && { pid: row.pid, startedAt: row.started_at }
  }

  /**
   * Ends that process where it still holds the slot; its number alone may be somebody else's by now. Called when its link has
   * been given up. True where there was something to end.
   */
  async end(control: pg.Client, slot: string): Promise<boolean> {
    if (this.#known === undefined) return false
    try {
      const { rows } = await control.query<{ ended: boolean }>(
        `SELECT pg_terminate_backend(pid) AS ended
           FROM pg_catalog.pg_replication_slots s JOIN pg_catalog.pg_stat_activity a ON a.pid = s.active_pid
          WHERE s.slot_name = $1 AND a.pid = $2 AND a.backend_start = $3::timestamptz`,
        [slot, this.#known.pid, this.#known.startedAt],
      )
      return rows[0]?.ended === true
    } catch (error) {
      // With another role set than the one that connected: then the server ends it when it misses us.
      if (sqlState(error) === '42501') return false
      throw error
    }
  }
}
