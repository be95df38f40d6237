// What PostgreSQL itself says of bytes that may be a value of a type, in either form.
import pg from 'pg'
import type { ByteSamples } from './byte-samples.js'
import type { Form } from './corpus.js'

export interface Answer {
  readonly text: string
  /** Text and binary form of the value, in hex: where they are the bytes that were asked about, a server could send them. */
  readonly sent: Readonly<Record<Form, string | null>>
  /** What a column of the lake holds of it, null where it holds nothing. */
  readonly stored: string | null
}

/** The settings that the product pins on its own connections. */
export const SESSION = `
  SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 3; SET bytea_output = 'hex';
  SET TimeZone = 'UTC'; SET lc_monetary = 'C'; SET client_encoding = 'UTF8'`

export class ServerAnswers {
  readonly #client: pg.Client
  readonly #senders: ReadonlyMap<string, string>

  private constructor(client: pg.Client, senders: ReadonlyMap<string, string>) {
    this.#client = client
    this.#senders = senders
  }

  /** `types` as declared in SQL. */
  static async of(client: pg.Client, types: readonly string[]): Promise<ServerAnswers> {
    await client.query(SESSION)
    const { rows } = await client.query<{ type: string; send: string }>(
      `SELECT type, typsend::regproc AS send FROM unnest($1::text[]) AS type
         JOIN pg_type t ON t.oid = (SELECT atttypid FROM pg_attribute WHERE attname = 'v' AND attrelid =
           (SELECT 's_' || (array_position($1::text[], type) - 1))::regclass)`,
      [types],
    )
    return new ServerAnswers(client, new Map(rows.map(({ type, send }) => [type, send])))
  }

  /** undefined: it is no value of the type. */
  async ask({ type, stored, refused }: ByteSamples, form: Form, bytes: Buffer): Promise<Answer | undefined> {
    const value = form === 'binary' ? `$1::${type}` : `convert_from($1, 'UTF8')::${type}`
    const send = this.#senders.get(type)!
    const misfit = `coalesce(${refused ?? 'false'}, false)`
    const query = {
      text: `SELECT v AS text, ${send === '-' ? 'NULL' : `encode(${send}(v), 'hex')`} AS binary, ${misfit} AS misfit,
                    CASE WHEN NOT ${misfit} THEN ${stored ?? 'NULL'} END AS stored
               FROM (SELECT ${value} AS v) AS value`,
      values: [bytes],
      types: { getTypeParser: () => (text: string) => text },
    }
    try {
      const { rows } = await this.#client.query<Record<'text' | 'binary' | 'misfit' | 'stored', string>>(query)
      const { text, binary, misfit, stored: kept } = rows[0]!
      const sent = { text: Buffer.from(text, 'utf8').toString('hex'), binary }
      return { text, sent, stored: misfit === 't' ? null : stored === undefined ? text : kept }
    } catch (error) {
      // A question that is wrong, which has a place in it, and a server that is gone, are no judgement of the value.
      const judged = error instanceof pg.DatabaseError && error.position === undefined
      if (!judged || /^(08(?!P01)|53|57)/.test(error.code ?? '')) throw error
      return undefined
    }
  }
}
