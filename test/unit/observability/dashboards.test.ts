// The dashboard, the alerts, the page of metrics and the program speak of the same metrics.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Metrics } from '../../../internal/observability/metrics.js'

const read = (path: string): string => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8')
const namesIn = (text: string): Set<string> => new Set(text.match(/\bwal_cake_\w+/g) ?? [])

/** Every series that the program may tell, by the help lines of its registry. */
async function told(): Promise<Set<string>> {
  const text = await new Metrics('s').render()
  const types = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)]
  return new Set(
    types.flatMap(([, name, type]) =>
      type === 'histogram' ? [`${name!}_bucket`, `${name!}_sum`, `${name!}_count`] : [name!],
    ),
  )
}

interface Dashboard {
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] }
  readonly panels: readonly {
    readonly id: number
    readonly type: string
    readonly title: string
    readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[]
  }[]
}

test('the dashboard and the alerts ask only for metrics that there are', async () => {
  const known = await told()
  const dashboard = JSON.parse(read('deploy/grafana/dashboard.json')) as Dashboard
  const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
  assert.ok(expressions.length > 20)
  for (const text of [...expressions, read('deploy/prometheus/alerts.yaml')])
    for (const name of namesIn(text)) assert.ok(known.has(name), `${name} in ${text.slice(0, 80)}`)
})

test('every metric is on the page of metrics, and no other', async () => {
  const page = read('docs/metrics.md')
  const documented = namesIn(page)
  const base = [...(await told())].map((name) => name.replace(/_(bucket|sum|count)$/, ''))
  for (const name of base) {
    const short = name.replace('wal_cake_copy_table_', '')
    assert.ok(documented.has(name) || (short !== name && page.includes(`…_${short}`)), `${name} is not documented`)
  }
  for (const name of documented) assert.ok(base.includes(name), `${name} is documented and not told`)
})

test('the dashboard lets its data source be chosen, and its panels are told apart', () => {
  const { templating, panels } = JSON.parse(read('deploy/grafana/dashboard.json')) as Dashboard
  assert.deepEqual(
    templating.list.map(({ name, type }) => [name, type]),
    [
      ['datasource', 'datasource'],
      ['slot', 'query'],
    ],
  )
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  for (const { type, title, targets = [] } of panels) {
    assert.equal(targets.length === 0, type === 'row', title)
    for (const { datasource } of targets) assert.equal(datasource.uid, '${datasource}')
  }
})

test('each alert has a runbook, and each runbook an alert', () => {
  const text = read('deploy/prometheus/alerts.yaml')
  const alerts = text.match(/- alert: \w+/g) ?? []
  const runbooks = [...text.matchAll(/runbook: docs\/operations\.md#([a-z-]+)$/gm)].map(([, anchor]) => anchor!)
  assert.equal(runbooks.length, alerts.length)
  const wanted = ['lag-grows', 'wal-is-held', 'slot-is-lost', 'no-commit', 'store-refuses', 'restarts-in-a-loop']
  assert.deepEqual([...new Set(runbooks)].sort(), [...wanted, 'fenced', 'gap', 'copy-stalls', 'memory-gate'].sort())
})
