// Tables that are changed as a whole while their rows are copied, between two pieces: at the end the lake comes to the table.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertTables, copied, copying, endInOrder, finishedCopies } from '../support/copies.js'
import { makeRig } from '../support/rig.js'
import { S3Server } from '../support/s3-server.js'

/** Of each kind one with a key and one without; `$` stands for the table. */
const changes: Readonly<Record<string, string>> = {
  truncate: `TRUNCATE $; INSERT INTO $ VALUES (-1, 'new', 1)`,
  emptied: 'TRUNCATE $',
  add: `ALTER TABLE $ ADD more text NOT NULL DEFAULT 'more'`,
  add_volatile: 'ALTER TABLE $ ADD more float8 DEFAULT random() + 0.5',
  drop_column: 'ALTER TABLE $ DROP n',
  made_again: `ALTER TABLE $ DROP n; ALTER TABLE $ ADD n int DEFAULT 7`,
  retype: 'ALTER TABLE $ ALTER n TYPE bigint',
  rename_column: 'ALTER TABLE $ RENAME n TO m',
  vacuum_full: 'VACUUM FULL $',
  delete_vacuum: 'DELETE FROM $ WHERE id % 2 = 0; VACUUM FULL $',
  rewritten_rows: `UPDATE $ SET v = v || '!'; DELETE FROM $ WHERE id % 3 = 0; INSERT INTO $ SELECT id + 10000, v, n FROM $`,
  drop_table: 'DROP TABLE $',
  renamed: 'ALTER TABLE $ RENAME TO $_2',
  other_schema: 'ALTER TABLE $ SET SCHEMA elsewhere',
  unpublished: 'ALTER PUBLICATION wal_cake_pub DROP TABLE $',
}
/** After these the lake has the table no more, or not under its name. */
const gone = ['drop_table', 'other_schema', 'unpublished']

const env = { ...copying, TARGET_FILE_BYTES: '64KiB', SNAPSHOT_WORKERS: '1' }

for (const keyed of [true, false])
  test(`G4: what changes a table ${keyed ? 'with' : 'without'} a key as a whole between two pieces of its copy`, async (t) => {
    const store = await S3Server.start()
    const rig = await makeRig(t, { lake: store })
    t.after(() => store.stop())
    const all: Readonly<Record<string, string>> = {
      ...changes,
      ...(keyed ? { cluster: 'CLUSTER $ USING $_pkey' } : {}),
    }
    const names = Object.keys(all)
    for (const name of names)
      await rig.source.query(`
        CREATE TABLE ${name} (id int ${keyed ? 'PRIMARY KEY' : ''}, v text, n int);
        ${keyed ? '' : `ALTER TABLE ${name} REPLICA IDENTITY FULL;`}
        INSERT INTO ${name} SELECT k, repeat('v' || k, 20), k FROM generate_series(1, 1000) k`)
    await rig.source.query(
      `CREATE SCHEMA elsewhere; CREATE PUBLICATION wal_cake_pub FOR TABLE ${names.join(', ')}, marks`,
    )
    const uploads = new Map<string, number>()
    let failure: unknown
    store.onBeforeRequest = async ({ operation, key }) => {
      const name = key.split('/')[3] ?? ''
      const change = all[name]
      if (operation !== 'UploadPart' || change === undefined) return
      const count = (uploads.get(name) ?? 0) + 1
      uploads.set(name, count)
      if (count !== 2) return
      for (const statement of change.replaceAll('$', name).split('; '))
        await rig.source.query(statement).catch((error: unknown) => (failure ??= error))
    }
    const service = await rig.stream(env)
    const here = names.filter((name) => !gone.includes(name)).map((name) => (name === 'renamed' ? 'renamed_2' : name))
    await service.waitFor('every table to be changed', () => names.every((name) => uploads.get(name)! >= 2), {
      timeoutMs: 60_000,
    })
    assert.equal(failure, undefined)
    await copied(rig, service, here)
    await endInOrder(rig, service)
    const rows = await assertTables(
      rig,
      keyed ? here : here.filter((name) => name !== 'rewritten_rows' && name !== 'delete_vacuum'),
    )
    assert.ok(rows > 8000, `${rows} rows`)
    const finished = (await finishedCopies(rig)).map(({ schema, table }) => `${schema}.${table}`)
    for (const name of gone) assert.ok(!finished.includes(`public.${name}`), `${name} is not copied to its end`)
    assert.ok(service.logged('changed while it was copied: it is copied again').length > 8)
    await rig.dropSlot()
  })
