// Values that must not be found: every object of a lake and every line of a log is searched for them, as bytes and as the
// values that a reader gets.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import type { Lake } from './lake.js'
import type { LogLine } from './service.js'

/** Fails where one of the texts is in an object, its key, a value that DuckDB reads, or a line. Gives the number of values read. */
export async function assertNowhere(lake: Lake, lines: readonly LogLine[], texts: readonly string[]): Promise<number> {
  const spellings = texts.flatMap((text) => [
    text,
    Buffer.from(text).toString('hex'),
    Buffer.from(text).toString('base64').replace(/=+$/, ''),
  ])
  const search = (where: string, content: string): void => {
    for (const spelling of spellings)
      assert.ok(!content.includes(Buffer.from(spelling).toString('latin1')), `${spelling} is in ${where}`)
  }
  for (const line of lines) search('the log', Buffer.from(JSON.stringify(line)).toString('latin1'))
  for (const key of await lake.keys()) search(key, `${key}\n${await readFile(lake.path(key), 'latin1')}`)
  let values = 0
  for (const table of await lake.tables())
    for (const row of await lake.rows(table))
      for (const [column, value] of Object.entries(row)) {
        const text = Buffer.isBuffer(value) ? value.toString('latin1') : Buffer.from(shown(value)).toString('latin1')
        search(`${table}.${column}`, text)
        values++
      }
  return values
}

function shown(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part))
}
