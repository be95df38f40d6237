// What is generated from the table of variables: complete, small enough for its place, and up to date.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'dotenv'
import { staleFiles } from '../../../cmd/wal-cake/generate-docs.js'
import { parseConfig } from '../../../internal/config/parse-config.js'
import {
  renderConfigurationPage,
  renderEnvExample,
  renderHelp,
  renderReadmeTable,
} from '../../../internal/config/render.js'
import { variables } from '../../../internal/config/variables.js'

test('help: one screen of 80 columns that names every variable', () => {
  const lines = renderHelp().trimEnd().split('\n')
  assert.ok(lines.length <= 60, `${lines.length} lines`)
  for (const line of lines) assert.ok(line.length <= 80, line)
  for (const { name } of variables)
    assert.ok(
      lines.some((line) => line.startsWith(`  ${name} `)),
      name,
    )
})

test('generated texts name every variable', () => {
  for (const { name } of variables) {
    assert.match(renderEnvExample(), new RegExp(`^(# )?${name}=`, 'm'))
    assert.match(renderConfigurationPage(), new RegExp(`^\\| \`${name}\` \\|`, 'm'))
    assert.match(renderReadmeTable(), new RegExp(`^\\| \`${name}\` \\|`, 'm'))
  }
})

test('.env.example is accepted as it stands, and so is every example in it', () => {
  assert.equal(parseConfig(parse(renderEnvExample())).store.kind, 's3')
  const everything = renderEnvExample().replace(/^# (?=[A-Z0-9_]+=)/gm, '')
  const { LAKE_DIR: folder, ...rest } = parse(everything)
  assert.equal(Object.keys(rest).length, variables.length - 1)
  assert.equal(parseConfig(rest).zstdLevel, 3)
  assert.equal(parseConfig({ PG_CONN_STRING: 'host=h', LAKE_DIR: folder }).store.kind, 'folder')
})

test('generated files are up to date', () => {
  assert.deepEqual([...staleFiles(process.cwd()).keys()], [])
})
