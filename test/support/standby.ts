// A hot standby of a test's own server, or a copy of that server that goes its own way. pg_basebackup is in no package of ours: the
// files are copied while the server is down.
import { execFile } from 'node:child_process'
import { chown, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findPostgresPrograms } from '../../cmd/wal-cake/demo/postgres-binaries.js'
import { freePort } from '../../cmd/wal-cake/demo/postgres-server.js'
import { MAJOR, PostgresServer, testSettings, type PostgresOptions } from './postgres.js'
import { programsOf } from './postgres-versions.js'

type Settings = PostgresOptions['settings']

/** Streams from `primary`, which is restarted on the way. */
export function startStandby(primary: PostgresServer, settings?: Settings): Promise<PostgresServer> {
  const { hostname, port, username, password } = new URL(primary.url)
  const primary_conninfo = `host=${hostname} port=${port} user=${username} password=${decodeURIComponent(password)}`
  return startCopy(primary, ['standby.signal'], { primary_conninfo, ...settings })
}

/** The same cluster on the same timeline, and no standby. */
export function startClone(original: PostgresServer): Promise<PostgresServer> {
  return startCopy(original, [], {})
}

async function startCopy(
  original: PostgresServer,
  signals: readonly string[],
  settings: Settings,
): Promise<PostgresServer> {
  const programs = await findPostgresPrograms(await programsOf(MAJOR))
  const folder = await mkdtemp(join(tmpdir(), 'wal-cake-pg-'))
  try {
    const data = join(folder, 'data')
    await original.down()
    await promisify(execFile)('cp', ['-a', original.dataDir, data])
    await original.up()
    for (const slot of await readdir(join(data, 'pg_replslot')))
      await rm(join(data, 'pg_replslot', slot), { recursive: true })
    for (const signal of signals) await writeFile(join(data, signal), '')
    const { uid, gid } = programs.account
    if (uid !== undefined && gid !== undefined)
      for (const path of [folder, ...signals.map((signal) => join(data, signal))]) await chown(path, uid, gid)
    const password = decodeURIComponent(new URL(original.url).password)
    const server = new PostgresServer(programs, folder, await freePort(), password, { ...testSettings, ...settings })
    await server.up()
    return server
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}
