// All the types and values that the oracle test gives to a real server, and the SQL that creates the types.
import type { Source } from '../../support/rig.js'
import { catalogueSamples } from './catalogue-samples.js'
import { numberSamples } from './number-samples.js'
import { printedSamples } from './printed-samples.js'
import { textSamples } from './text-samples.js'
import { timeSamples } from './time-samples.js'
import type { TypeSamples } from './type-samples.js'

export const setup = [
  `CREATE TYPE mood AS ENUM ('sad', 'so so', 'glad "é"', '', 'null')`,
  `CREATE TYPE pair AS (a int, b text)`,
  `CREATE DOMAIN amount AS numeric(10,3)`,
  `CREATE DOMAIN small_amount AS amount CHECK (value < 100)`,
  `CREATE DOMAIN label AS varchar(20)`,
  `CREATE DOMAIN numbers AS int[]`,
  `CREATE TYPE all_sorts AS (a bool, b float8, c timestamptz, d bytea, e numbers, f pair[], g int4range, h mood, i time)`,
  `CREATE TYPE textrange AS RANGE (subtype = text)`,
  `CREATE TYPE floatrange AS RANGE (subtype = float8)`,
  // "Öffnung" has to survive in names of types, too.
  `CREATE TYPE "Öffnung" AS ENUM ('auf', 'zu')`,
  `CREATE TABLE "Odd ""table""" (a int, b int); CREATE STATISTICS pairs ON a, b FROM "Odd ""table"""`,
  `INSERT INTO "Odd ""table""" SELECT n / 10, n / 20 FROM generate_series(1, 200) AS n; ANALYZE "Odd ""table"""`,
]

export const samples: readonly TypeSamples[] = [
  ...numberSamples,
  ...textSamples,
  ...timeSamples,
  ...printedSamples,
  ...catalogueSamples,
  { type: 'numbers', values: ['{1,-2147483648}', '{}', '{NULL,7}', '{{1},{2}}', '[0:0]={7}'], list: true },
]

/** All that the server ships, but for those that need an interpreter of another language. */
export async function createExtensions(source: Source): Promise<void> {
  const extensions = await source.query<{ name: string }>(
    `SELECT name FROM pg_available_extensions WHERE name !~ '^pl|_pl(perl|python)' ORDER BY name`,
  )
  for (const { name } of extensions) await source.query(`CREATE EXTENSION IF NOT EXISTS "${name}" CASCADE`)
}
