// What readers that run on Java need: a JDK that is new enough, and Maven, which brings them.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile, realpath } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'

/** The `java` of such a version: of the folder that `variable` names, of JAVA_HOME, the PATH or where systems keep them. */
export async function findJava(variable: string, least: number, most = Infinity): Promise<string | undefined> {
  const { [variable]: named, JAVA_HOME: usual, PATH = '' } = process.env
  const ofPath = PATH.split(delimiter).map((folder) => dirname(folder))
  const installed = await readdir(JVMS).catch(() => [])
  for (const home of [named, usual, ...ofPath, ...installed.map((name) => join(JVMS, name))]) {
    if (home === undefined || !existsSync(join(home, 'bin', 'java'))) continue
    const java = await realpath(join(home, 'bin', 'java'))
    // Every JDK has this file.
    const release = await readFile(join(dirname(java), '..', 'release'), 'utf8').catch(() => '')
    const [, major] = /^JAVA_VERSION="(\d+)/m.exec(release) ?? []
    if (Number(major) >= least && Number(major) <= most) return java
  }
  return undefined
}

const JVMS = '/usr/lib/jvm'

/** A goal of Maven's plugin for dependencies. Throws Error where it fails, or there is no Maven. */
export async function mavenDependency(goal: string, ...options: string[]): Promise<void> {
  const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1'
  await promisify(execFile)('mvn', ['-q', '-B', `${plugin}:${goal}`, ...options], { maxBuffer: 1 << 26 })
}
