// docs/readers.md as the suite takes it: the snippet of each reader, and what is said of those that refuse or alter something.
import { readFile } from 'node:fs/promises'

/** What the page's snippets read. */
const TABLE = '/lake/default/data/public/orders'

export interface ReadersPage {
  /** The first code block of the reader's section, over the table in that directory. Throws Error where there is none. */
  readonly snippet: (reader: string, folder: string) => string
  readonly refusals: readonly Refusal[]
  readonly alterations: readonly Alteration[]
}

export interface Refusal {
  readonly reader: string
  readonly read: string
  /** Part of the error's text. */
  readonly error: string
}

export interface Alteration {
  readonly reader: string
  readonly read: string
  readonly expected: string
  readonly shown: string
}

export async function readersPage(): Promise<ReadersPage> {
  const page = await readFile(new URL('../../../docs/readers.md', import.meta.url), 'utf8')
  const refusals = tableOf(sectionOf(page, 'What they refuse'))
  const alterations = tableOf(sectionOf(page, 'What they show otherwise'))
  return {
    snippet: (reader, folder) => {
      const [, snippet] = /```\w+\n(.*?)```/s.exec(sectionOf(page, reader)) ?? []
      if (snippet?.includes(TABLE) !== true) throw new Error(`docs/readers.md: no snippet with ${TABLE} of ${reader}`)
      return snippet.replaceAll(TABLE, folder)
    },
    refusals: refusals.flatMap(([readers, reads, error]) =>
      pairsOf(readers, reads).map((pair) => ({ ...pair, error: error! })),
    ),
    alterations: alterations.flatMap(([readers, reads, expected, shown]) =>
      pairsOf(readers, reads).map((pair) => ({ ...pair, expected: expected!, shown: shown! })),
    ),
  }
}

/** Without its heading. */
export function sectionOf(page: string, heading: string): string {
  const section = page.split(/^## /m).find((section) => section.startsWith(`${heading}\n`))
  if (section === undefined) throw new Error(`docs/readers.md: no section ${heading}`)
  return section.slice(heading.length)
}

/** The cells of its one table, without those of the head, and without backticks. */
export function tableOf(section: string): string[][] {
  const lines = section.split('\n').filter((line) => line.startsWith('|'))
  return lines.slice(2).map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => plain(cell.replaceAll('\\|', '|')).trim()),
  )
}

/** A line may be about several. */
function pairsOf(readers = '', reads = ''): { reader: string; read: string }[] {
  return readers.split(', ').flatMap((reader) => reads.split('; ').map((read) => ({ reader, read })))
}

/** As the page's tables have it: there backticks are no part of a text. */
export function plain(text: string): string {
  return text.replaceAll('`', '')
}
