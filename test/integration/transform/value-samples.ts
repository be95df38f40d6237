// All the types and values that the oracle test asks a real server about, and the SQL that creates the types.
import { listSamples } from './list-samples.js'
import { numberSamples } from './number-samples.js'
import { printedSamples } from './printed-samples.js'
import { textSamples } from './text-samples.js'
import { timeSamples } from './time-samples.js'
import type { TypeSamples } from './type-samples.js'

export const setup = [
  `CREATE EXTENSION IF NOT EXISTS citext`,
  `CREATE EXTENSION IF NOT EXISTS hstore`,
  `CREATE TYPE mood AS ENUM ('sad', 'so so', 'glad "é"', '', 'null')`,
  `CREATE TYPE pair AS (a int, b text)`,
  `CREATE DOMAIN amount AS numeric(10,3)`,
  `CREATE DOMAIN small_amount AS amount CHECK (value < 100)`,
  `CREATE DOMAIN label AS varchar(20)`,
  `CREATE DOMAIN numbers AS int[]`,
  `CREATE TYPE textrange AS RANGE (subtype = text)`,
  `CREATE TYPE floatrange AS RANGE (subtype = float8)`,
  // "Öffnung" has to survive in names of types, too.
  `CREATE TYPE "Öffnung" AS ENUM ('auf', 'zu')`,
]

/** Types whose binary form is not read. */
const textOnlySamples: readonly TypeSamples[] = [
  { type: 'tsvector', values: ["'a':1 'b':2A", ''], textOnly: true },
  { type: 'hstore', values: ['"a"=>"1", "b"=>NULL', ''], textOnly: true },
  { type: 'pair', values: ['(1,"a b")', '(,)'], textOnly: true },
  { type: 'jsonpath', values: ['$."a"[*]'], textOnly: true },
  { type: 'regclass', values: ['pg_class'], textOnly: true },
]

export const samples: readonly TypeSamples[] = [
  ...numberSamples,
  ...textSamples,
  ...timeSamples,
  ...printedSamples,
  ...listSamples,
  ...textOnlySamples,
]
