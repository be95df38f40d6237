// The browser of the machine, driven from outside: the one of CHROMIUM_PATH or of the PATH. Nothing is downloaded.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { TestContext } from 'node:test'
import { chromium, type Browser, type Page } from 'playwright-core'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** Its path, undefined where there is none. */
export function browserPath(): string | undefined {
  const { CHROMIUM_PATH: named, PATH = '' } = process.env
  if (named !== undefined && named !== '') return named
  const folders = PATH.split(delimiter)
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram)
}

/** For a test's `skip`: why it cannot run, false where it can. */
export function noBrowser(): string | false {
  return browserPath() === undefined ? 'there is no Chromium here: install one, or name it with CHROMIUM_PATH' : false
}

export interface WatchedPage {
  readonly page: Page
  /** What the browser has complained of: errors of scripts, refused contents, requests that failed. */
  readonly complaints: string[]
  /** How far things have moved by themselves: the browser's own measure, 0 when nothing has. */
  shifted(): Promise<number>
}

/** Opens the address in a window of its own. */
export async function openPage(
  t: TestContext,
  address: string,
  size: { readonly width: number; readonly height: number },
): Promise<WatchedPage> {
  const browser = await launched(t)
  const page = await browser.newPage({ viewport: size })
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => {
    if (!request.url().startsWith(address) && !request.url().startsWith('data:')) complaints.push(request.url())
  })
  await page.addInitScript(`
    window.shifted = 0
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.shifted += entry.value
    }).observe({ type: 'layout-shift', buffered: true })`)
  await page.goto(address)
  return { page, complaints, shifted: () => page.evaluate<number>('window.shifted') }
}

async function launched(t: TestContext): Promise<Browser> {
  const executablePath = browserPath()
  if (executablePath === undefined) throw new Error('no browser')
  // Its sandbox needs rights that a container seldom gives, and it opens only what the test serves.
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
  t.after(() => browser.close())
  return browser
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The contrast (WCAG 2) of the text of each element with what is behind it, by the element's selector. */
export async function contrasts(page: Page, selectors: readonly string[]): Promise<Map<string, number>> {
  const found = await page.evaluate<[string, number][]>(`(() => {
    const light = (color) => {
      const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((part) => {
        const value = part / 255
        return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
      })
      return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const behind = (element) => {
      const color = getComputedStyle(element).backgroundColor
      return /, 0\\)$/.test(color) && element.parentElement ? behind(element.parentElement) : color
    }
    return ${JSON.stringify(selectors)}.flatMap((selector) => [...document.querySelectorAll(selector)].map((element) => {
      const [a, b] = [light(getComputedStyle(element).color), light(behind(element))]
      return [selector, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]
    }))
  })()`)
  const worst = new Map<string, number>()
  for (const [selector, contrast] of found) worst.set(selector, Math.min(contrast, worst.get(selector) ?? Infinity))
  return worst
}
