// `views`: SQL that makes a log and a current state of each table of the lake, for one engine. Reads the store alone.
import { resolve } from 'node:path'
import type { Config } from '../../internal/config/parse-config.js'
import type { LakePlace } from '../../internal/pipeline/views/engine.js'
import { readLakeTables } from '../../internal/pipeline/views/lake-tables.js'
import { checkRequest, printViews } from '../../internal/pipeline/views/print-views.js'
import type { Invocation } from './main.js'
import { openStore } from './pieces.js'

export async function views({ config, flags }: Invocation): Promise<void> {
  const request = { engine: flags.engine, tables: flags.table ?? [], asOf: flags['as-of'] }
  checkRequest(request)
  const store = await openStore(config)
  try {
    const tables = await readLakeTables(store, config.slot)
    const sql = printViews(placeOf(config), tables, request)
    // The program ends right after, and a pipe takes only so much at once.
    await new Promise((resolve) => process.stdout.write(sql, resolve))
  } finally {
    store.close()
  }
}

function placeOf({ store, namespace, slot }: Config): LakePlace {
  if (store.kind === 'folder') return { root: resolve(store.path, namespace), url: undefined, slot }
  const { bucket, endpoint, region } = store
  const host = endpoint ?? `https://s3${region === undefined ? '' : `.${region}`}.amazonaws.com`
  return { root: `s3://${bucket}/${namespace}`, url: `${host.replace(/\/+$/, '')}/${bucket}/${namespace}`, slot }
}
