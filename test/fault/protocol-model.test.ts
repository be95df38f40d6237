// The protocol by exhaustion (G1-G6, G11): two writers with the product's own decisions, cut connections that are noticed
// late, deaths, lost answers and late requests, in every order. And each rule broken, to see that it is needed.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { variants } from './protocol/broken-variants.js'
import { story } from '../support/exploration.js'
import { explore } from './protocol/exploration.js'
import { rulesOfProduct } from './protocol/rules.js'
import { scenarios, type ScenarioName } from './protocol/scenarios.js'
import { unlessSoaking } from '../support/soak.js'

/** One more of what 'one after the other' has. */
const leftOut: readonly ScenarioName[] = unlessSoaking(['three cuts'], [])
const names = (Object.keys(scenarios) as ScenarioName[]).filter((name) => !leftOut.includes(name))

describe('G1 G2 G3 G4 G5 G6 G11: every order of steps and faults of two writers', () => {
  for (const name of names)
    test(name, async (t) => {
      const found = await explore({ rules: rulesOfProduct, scenario: scenarios[name] })
      assert.ok(found.violation === undefined, story(found))
      t.diagnostic(`${found.states} states`)
    })
})

describe('a broken rule is found out', () => {
  for (const { name, broken, scenario, violates } of variants)
    test(`${violates.slice(0, violates.indexOf(':'))}: ${name}`, async (t) => {
      const found = await explore({ rules: { ...rulesOfProduct, ...broken }, scenario: scenarios[scenario] }, violates)
      assert.equal(found.violation?.kind, violates, story(found))
      t.diagnostic(`${found.states} states until ${story(found)}`)
    })
})
