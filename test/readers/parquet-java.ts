// The command line of parquet-java, by which files are examined (https://github.com/apache/parquet-java/tree/master/parquet-cli).
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cachedFolder } from './cached-folder.js'
import { findJava, mavenDependency } from './java.js'

const RELEASE = '1.15.2'
/** Its Hadoop refuses Java 24. */
const JAVA = [11, 23] as const

/** Its output. Throws Error with what it says where it refuses a file. */
export type ParquetJava = (command: string, ...files: readonly string[]) => Promise<string>

/** A text says why it cannot be had. */
export async function parquetJava(): Promise<ParquetJava | string> {
  const java = await findJava('TEST_PARQUET_JAVA_HOME', ...JAVA)
  if (java === undefined) return `it needs Java ${JAVA.join(' to ')}, in TEST_PARQUET_JAVA_HOME, JAVA_HOME or the PATH`
  const pom = fileURLToPath(new URL('../../../test/readers/parquet-java.pom.xml', import.meta.url))
  let jars: string
  try {
    jars = await cachedFolder(`parquet-java-${RELEASE}`, (folder) =>
      mavenDependency('copy-dependencies', '-f', pom, `-DoutputDirectory=${folder}`),
    )
  } catch (error) {
    return `Maven does not bring it: ${String(error)}`
  }
  return async (command, ...files) => {
    const args = ['-Xmx512m', '-cp', `${jars}/*`, 'org.apache.parquet.cli.Main', command, ...files]
    try {
      return (await promisify(execFile)(java, args, { maxBuffer: 1 << 28 })).stdout
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string }
      throw new Error(`parquet-java: ${stdout}${stderr}`, { cause: error })
    }
  }
}
