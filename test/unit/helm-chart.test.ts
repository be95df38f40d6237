// The chart: what it takes is what the program takes, what it renders is what Kubernetes knows, and deploy/kubernetes is what it renders.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { variables, type Variable } from '../../internal/config/variables.js'
import { findHelm, mistakes, noHelm, run, type Manifest } from '../support/helm.js'

const chart = 'deploy/helm/wal-cake'
const rendered = 'deploy/kubernetes/wal-cake.yaml'
const bucket = ['--set', 'config.S3_BUCKET_NAME=b']

interface Schema {
  readonly properties: Readonly<Record<string, Schema>>
  readonly additionalProperties: boolean
}

function manifestsOf(text: string): Manifest[] {
  return parseAllDocuments(text).flatMap((document) => (document.toJS() as Manifest | null) ?? [])
}

/** Undefined, and the test skipped, where there is no Helm. */
async function template(t: TestContext): Promise<((...args: string[]) => Promise<Manifest[]>) | undefined> {
  const helm = await findHelm()
  if (helm === undefined) {
    t.skip(noHelm)
    return undefined
  }
  const fixed = ['template', 'wal-cake', chart, '--kube-version', '1.30.0']
  return async (...args) => manifestsOf(await run(helm, [...fixed, ...args]))
}

test('every variable can be set, and no other one', async () => {
  const schema = JSON.parse(await readFile(join(chart, 'values.schema.json'), 'utf8')) as Schema
  const { config, secret } = schema.properties
  const keys = secret!.properties.keys!
  assert.deepEqual(
    [schema, config!, secret!, keys].map((part) => part.additionalProperties),
    Array(4).fill(false),
  )
  const byChart = ['HTTP_ADDR', 'LAKE_DIR']
  const ofSecret = Object.keys(keys.properties).filter((name) => name !== 'PGPASSWORD')
  const all = [...Object.keys(config!.properties), ...ofSecret, ...byChart]
  assert.deepEqual(all.sort(), variables.map(({ name }) => name).sort())
  for (const { name, secret } of variables as readonly Variable[])
    if (secret === true) assert.ok(ofSecret.includes(name), `${name} by reference only`)
})

test('deploy/kubernetes is made of the chart as it is', async () => {
  const files = (await readdir('deploy/helm', { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice('deploy/'.length))
  const hash = createHash('sha256')
  for (const file of [...files, 'kubernetes/values.yaml'].sort()) hash.update(await readFile(join('deploy', file)))
  const text = await readFile(rendered, 'utf8')
  assert.ok(
    text.includes(`sha256 ${hash.digest('hex')}:`),
    'run deploy/kubernetes/render.sh > deploy/kubernetes/wal-cake.yaml',
  )
})

test('deploy/kubernetes is what Helm renders', async (t) => {
  const helm = await findHelm()
  if (helm === undefined) {
    t.skip(noHelm)
    return
  }
  assert.equal(await run('deploy/kubernetes/render.sh', [], { HELM: helm }), await readFile(rendered, 'utf8'))
})

test('the manifests are of known fields and types, and a wrong one would be found', async () => {
  const manifests = manifestsOf(await readFile(rendered, 'utf8'))
  const kinds = ['NetworkPolicy', 'PodDisruptionBudget', 'Service', 'ServiceAccount', 'StatefulSet']
  assert.deepEqual(manifests.map(({ kind }) => kind).sort(), kinds)
  assert.deepEqual(await mistakes(manifests), [])
  const wrong = manifests.map((manifest) =>
    manifest.kind === 'StatefulSet' ? { ...manifest, spec: { ...(manifest.spec as object), replica: 2 } } : manifest,
  )
  assert.match((await mistakes(wrong)).join(), /replica/)
})

test('every part of the chart renders to what Kubernetes knows', async (t) => {
  const render = await template(t)
  if (render === undefined) return
  const everything = await render(
    ...['--set', 'persistence.enabled=true,serviceMonitor.enabled=true,networkPolicy.enabled=true'],
    ...[
      '--set',
      'persistence.storageClass=fast,priorityClassName=high,podLabels.a=b,podAnnotations.c=d,nodeSelector.e=f',
    ],
    ...['--set', 'config.UPLOAD_CONCURRENCY=4,config.SOLE_WRITER=true,config.TABLES=public.orders'],
    ...['--set-json', 'tolerations=[{"key":"k","operator":"Exists"}]', '--set-json', 'imagePullSecrets=[{"name":"p"}]'],
    ...['--set-json', 'extraEnv=[{"name":"PGSSLROOTCERT","value":"/certs/ca.pem"}]'],
    ...['--set-json', 'extraVolumes=[{"name":"certs","secret":{"secretName":"ca"}}]'],
    ...['--set-json', 'extraVolumeMounts=[{"name":"certs","mountPath":"/certs"}]'],
    ...[
      '--set-json',
      'affinity={"podAntiAffinity":{}}',
      '--set-json',
      'networkPolicy.metricsFrom=[{"podSelector":{}}]',
    ],
  )
  assert.deepEqual(await mistakes(everything), [])
  assert.ok(everything.some(({ kind }) => kind === 'ServiceMonitor'))
  const text = JSON.stringify(everything.find(({ kind }) => kind === 'StatefulSet'))
  for (const part of [
    '"value":"0.0.0.0:8080"',
    '"name":"LAKE_DIR","value":"/lake"',
    '"volumeClaimTemplates"',
    '"value":"4"',
  ])
    assert.ok(text.includes(part), part)
  assert.deepEqual(
    await mistakes(await render(...['--set', 'persistence.enabled=true,persistence.existingClaim=c'])),
    [],
  )
})

test('what the chart refuses', async (t) => {
  const render = await template(t)
  if (render === undefined) return
  for (const [args, says] of [
    [[], /where is the lake/],
    [[...bucket, '--set', 'persistence.enabled=true'], /exclude each other/],
    [[...bucket, '--set', 'config.FLUSH_INTERVALL=1s'], /FLUSH_INTERVALL is not allowed/],
    [[...bucket, '--set', 'config.PG_CONN_STRING=host=db'], /PG_CONN_STRING is not allowed/],
    [[...bucket, '--set', 'replicas=2'], /replicas is not allowed/],
    [[...bucket, '--set', 'terminationGracePeriodSeconds=10'], /terminationGracePeriodSeconds/],
  ] as const)
    await assert.rejects(render(...args), says)
})
