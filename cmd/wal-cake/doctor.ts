// `doctor`: everything that the service needs, looked at before it needs it, each with what mends it. `--json`: for programs.
import { attempt, type Check } from '../../internal/pipeline/doctor/check.js'
import { connectChecked, serverChecks } from '../../internal/pipeline/doctor/server-checks.js'
import { storeChecks } from '../../internal/pipeline/doctor/store-checks.js'
import { tableChecks } from '../../internal/pipeline/doctor/table-checks.js'
import type { SessionSettings } from '../../internal/pipeline/session.js'
import type { Invocation } from './main.js'
import { NOT_SAFE, openStore, sessionSettings } from './pieces.js'

interface Section {
  readonly title: string
  readonly checks: readonly Check[]
}

export async function doctor({ config, version, flags }: Invocation): Promise<void> {
  const settings = sessionSettings(config, version)
  const sections = [
    ...(await sourceSections(settings)),
    { title: 'Store', checks: await attempt('store', () => lakeChecks(config)) },
  ]
  process.stdout.write(flags.json === true ? `${JSON.stringify(jsonOf(sections))}\n` : textOf(sections))
  // What is to be said has been said, line by line.
  if (count(sections, 'failed') > 0) process.exitCode = NOT_SAFE
}

async function sourceSections(settings: SessionSettings): Promise<readonly Section[]> {
  const { target, slot } = settings
  const { control, checks } = await connectChecked(target)
  if (control === undefined) return [{ title: 'PostgreSQL', checks }]
  try {
    const server = await serverChecks(target, control, slot)
    const source = { title: 'PostgreSQL', checks: [...checks, ...server.checks] }
    if (server.facts === undefined) return [source]
    return [source, { title: 'Tables', checks: await tableChecks(control, server.facts, settings) }]
  } finally {
    await control.end()
  }
}

async function lakeChecks(config: Invocation['config']): Promise<readonly Check[]> {
  const store = await openStore(config)
  try {
    return await storeChecks(store, config.slot)
  } finally {
    store.close()
  }
}

function jsonOf(sections: readonly Section[]): object {
  const checks = sections.flatMap(({ title, checks }) => checks.map((check) => ({ section: title, ...check })))
  return { failed: count(sections, 'failed'), warnings: count(sections, 'warning'), checks }
}

function count(sections: readonly Section[], wanted: Check['state']): number {
  return sections.flatMap(({ checks }) => checks).filter(({ state }) => state === wanted).length
}

const marks = { ok: 'ok     ', warning: 'warning', failed: 'FAILED ' } as const

function textOf(sections: readonly Section[]): string {
  const widest = Math.max(...sections.flatMap(({ checks }) => checks.map(({ subject }) => subject.length)))
  const found = sections.map(({ title, checks }) => {
    const lines = checks.map(({ state, subject, found, mend }) => {
      const line = `  ${marks[state]}  ${subject.padEnd(widest)}  ${found}\n`
      return mend === undefined ? line : `${line}${' '.repeat(marks.ok.length + widest + 6)}${mend}\n`
    })
    return `${title}\n${lines.join('')}\n`
  })
  const [failures, warnings] = [count(sections, 'failed'), count(sections, 'warning')]
  return `${found.join('')}${failures} failed, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}\n`
}
