// The status page: its parts lie beside each other as files (page/), and are put into one that asks for nothing but
// `/status.json`. The browser is told to run exactly these parts and nothing else.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Page } from './health.js'

/** From the compiled file to the sources, which the build does not copy. */
const parts = new URL('../../../internal/observability/page/', import.meta.url)

export async function statusPage(): Promise<Page> {
  const [html, css, script] = await Promise.all(['status.html', 'status.css', 'status.js'].map(read))
  const page = html!.replace('/* style */', () => css!).replace('/* script */', () => script!)
  const hashOf = (tag: string): string => sha256(new RegExp(`<${tag}[^>]*>(.*?)</${tag}>`, 's').exec(page)![1]!)
  const policy = [
    `default-src 'none'`,
    `style-src '${hashOf('style')}'`,
    `script-src '${hashOf('script')}'`,
    `connect-src 'self'`,
    // The empty icon that keeps the browser from asking for one.
    'img-src data:',
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
  ]
  return {
    contentType: 'text/html; charset=utf-8',
    headers: { 'content-security-policy': policy.join('; ') },
    render: () => page,
  }
}

function read(name: string): Promise<string> {
  return readFile(new URL(name, parts), 'utf8')
}

function sha256(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
