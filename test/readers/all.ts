// Every reader of docs/readers.md.
import { duckdb } from './duckdb.js'
import { hyparquet } from './hyparquet.js'
import { pythonReader } from './python.js'
import type { Reader } from './reader.js'
import { trino } from './trino.js'

const requirements = 'requirements.txt'
const arrow = (name: string, module: string) =>
  pythonReader({ name, script: ['arrow_readers.py', module], requirements })
const spark = (name: string, requirements: string) =>
  pythonReader({ name, script: ['spark.py'], requirements, needsJava: true })

export const readers: readonly Reader[] = [
  duckdb,
  hyparquet,
  arrow('DuckDB for Python', 'duckdb'),
  arrow('pyarrow', 'pyarrow'),
  arrow('pandas', 'pandas'),
  arrow('Polars', 'polars'),
  arrow('DataFusion', 'datafusion'),
  pythonReader({ name: 'ClickHouse', script: ['clickhouse.py'], requirements }),
  spark('Spark 3.5', 'requirements-spark-3.txt'),
  spark('Spark 4', 'requirements-spark-4.txt'),
  trino,
]
