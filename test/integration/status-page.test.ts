// The status page in a real browser, served by the real program: live, complete on a phone, by keyboard and in the dark, and quiet.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { contrasts, noBrowser, openPage } from '../support/browser.js'
import { eventually } from '../support/eventually.js'
import { healthProbe } from '../support/health.js'
import { proxiedRig } from '../support/proxied-rig.js'

const skip = noBrowser()
const WIDE = { width: 1280, height: 900 }
const PHONE = { width: 360, height: 740 }
/** The narrowest part of a long name must not widen the page. */
const LONG_NAME = 'orders_of_customers_who_have_never_been_here_before_today'

async function setUp(t: TestContext, size: { width: number; height: number }) {
  const { rig, proxy, stream } = await proxiedRig(t, { lake: 'folder', walSenderTimeout: '4s' })
  await rig.source.query(`CREATE TABLE ${LONG_NAME} (id int PRIMARY KEY)`)
  await rig.source.query(`CREATE TABLE few (id int PRIMARY KEY)`)
  const probe = await healthProbe()
  const service = await stream(probe.env)
  const opened = await openPage(t, `http://${probe.env.HTTP_ADDR}/`, size)
  const write = (from: number, to: number) =>
    rig.source.query(`INSERT INTO ${LONG_NAME} SELECT generate_series(${from}, ${to})`)
  return { rig, proxy, service, write, address: `http://${probe.env.HTTP_ADDR}`, ...opened }
}

const text = async (page: Page, selector: string): Promise<string> => (await page.textContent(selector)) ?? ''
const says = (page: Page, selector: string, wanted: RegExp): Promise<unknown> =>
  eventually(async () => {
    assert.match(await text(page, selector), wanted)
    return true
  })

test('shows what happens as it happens, and nothing jumps', { skip }, async (t) => {
  const { page, write, rig, complaints, address, ...opened } = await setUp(t, WIDE)
  const shifted = () => opened.shifted()
  await says(page, '#state', /streaming/)
  await says(page, '#retained', /\d (B|[KMG]iB)/)
  const before = await shifted()
  await write(1, 3)
  await says(page, '#tables tbody', new RegExp(`public\\.${LONG_NAME}3`))
  await says(page, '#batches tbody', /\d\d:\d\d:\d\d3/)
  await says(page, '#last-commit', /ago$/)
  const heard = await text(page, '#heard')
  await write(4, 1003)
  await says(page, '#tables tbody', new RegExp(`public\\.${LONG_NAME}1,003`))
  await says(page, '#rows-rate', /^[1-9]\d*\/s$/)
  await says(page, '#durable', /^durable up to [0-9A-F]+\/[0-9A-F]+$/)
  await eventually(async () => ((await page.getAttribute('#lag-chart .line', 'd')) ?? '').split('L').length > 2)
  assert.match((await page.getAttribute('#lag-chart', 'aria-label')) ?? '', /^Lag: now [\d.]+ m?s, at most [\d.]+ m?s$/)
  assert.notEqual(await text(page, '#heard'), heard)
  assert.ok((await shifted()) - before < 0.01, `moved by ${(await shifted()) - before}`)
  assert.equal(await text(page, '#slot'), rig.slot)
  assert.deepEqual(complaints, [])
  const answer = await fetch(`${address}/`)
  assert.match(answer.headers.get('content-security-policy') ?? '', /^default-src 'none'; style-src 'sha256-/)
  assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
})

test('says when the database is lost and when it is back, and when nobody answers', { skip }, async (t) => {
  const { page, proxy, service, write, complaints } = await setUp(t, WIDE)
  await says(page, '#state', /streaming/)
  proxy.refuse()
  proxy.cut()
  await says(page, '#state', /^▲ waiting$/)
  await says(page, '#reason', /PostgreSQL at .* cannot be reached/)
  await says(page, '#retained', /^–$/)
  await says(page, '#events tbody', /failed.*PostgreSQL|failed.*connection/)
  await proxy.accept()
  await write(1, 3)
  await says(page, '#state', /streaming/)
  await says(page, '#events tbody', /recovered.*streaming again after \d+ s/)
  await says(page, '#retained', /\d (B|[KMG]iB)/)
  assert.deepEqual(complaints, [])
  await service.stop()
  await says(page, '#state', /no answer/)
})

test('fits a phone and a wide window, in the light and in the dark', { skip }, async (t) => {
  const { page, write, complaints } = await setUp(t, PHONE)
  await write(1, 100)
  await says(page, '#tables tbody', new RegExp(LONG_NAME))
  const backgrounds = new Set<string>()
  for (const size of [PHONE, WIDE]) {
    await page.setViewportSize(size)
    const [content, window] = await page.evaluate<[number, number]>(
      '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
    )
    assert.ok(content <= window, `${content} px in ${window} px`)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      backgrounds.add(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor'))
      const worst = await contrasts(page, ['h1', 'h2', 'dt', 'dd', 'td', 'th', 'button', 'caption', 'a', 'p', 'span'])
      for (const [selector, contrast] of worst) assert.ok(contrast >= 4.5, `${colorScheme}: ${selector} ${contrast}`)
    }
  }
  assert.equal(backgrounds.size, 2)
  assert.deepEqual(complaints, [])
})

test('everything can be reached and used by keyboard, and is named', { skip }, async (t) => {
  const { page, rig, write } = await setUp(t, WIDE)
  await write(1, 100)
  await rig.source.query('INSERT INTO few VALUES (1)')
  await says(page, '#tables tbody', /public\.few/)
  const reached: string[] = []
  for (let tabs = 0; tabs < 30; tabs++) {
    await page.keyboard.press('Tab')
    const [name, outline] = await page.evaluate<[string, string]>(`(() => {
      const { activeElement: at } = document
      const title = document.getElementById(at.getAttribute('aria-labelledby'))
      return [(title ?? at).textContent.trim(), getComputedStyle(at).outlineStyle]
    })()`)
    if (reached.includes(name)) break
    reached.push(name)
    if (reached.length < 10) assert.notEqual(outline, 'none', `focus on ${name} is visible`)
    if (name === 'Rows') {
      await page.keyboard.press('Enter')
      const sorted = () => page.getAttribute('#tables th:nth-child(2)', 'aria-sort')
      const first = () => text(page, '#tables tbody tr:first-child td:first-child')
      assert.equal(await sorted(), 'descending')
      assert.equal(await first(), `public.${LONG_NAME}`)
      await page.keyboard.press('Enter')
      assert.equal(await sorted(), 'ascending')
      assert.notEqual(await first(), `public.${LONG_NAME}`)
    }
  }
  const regions = ['Tables', 'Recent batches', 'Copy of existing rows', 'Errors and recoveries']
  const buttons = ['Table', 'Rows', 'Files', 'Size', 'Last commit']
  for (const name of [...regions, ...buttons, 'Metrics', 'These numbers as JSON'])
    assert.ok(reached.includes(name), `${name} is not among ${reached.join(', ')}`)
  const counted = await page.evaluate<Record<string, number>>(`Object.fromEntries(
    ['main', 'header', 'footer', 'table', 'caption', 'thead th[scope=col]', 'h1', 'th[aria-sort]'].map((selector) =>
      [selector, document.querySelectorAll(selector).length]))`)
  assert.deepEqual(counted, {
    ...{ main: 1, header: 1, footer: 1, h1: 1, table: 4, caption: 4, 'thead th[scope=col]': 5 + 7 + 4 + 3 },
    'th[aria-sort]': 1,
  })
})
