// Lists of names with wildcards, as TABLES and EXCLUDE_COLUMNS have them: `schema.table` or `schema.table.column`, comma-separated,
// `*` allowed in each part, parts with special characters in double quotes. Nothing is folded to lower case.
import { Failure } from '../model/failure.js'

/** A part cut at its wildcards: one piece, no wildcard. */
type PartPattern = readonly string[]

export interface NamePattern {
  /** As it was written. */
  readonly text: string
  /** The parts, where none of them has a wildcard. */
  readonly exact: readonly string[] | undefined
  /** The parts as patterns of SQL's LIKE. */
  readonly like: readonly string[]
  /** As many parts as the pattern has. */
  readonly matches: (...parts: readonly string[]) => boolean
}

const part = String.raw`((?:"(?:[^"]|"")+"|[^\s".,])+)`

/** `form` names the parts: `schema.table`. Throws Failure `config` at the first item that has another form. */
export function parseNamePatterns(list: string, form: string): NamePattern[] {
  const parts = form.split('.').map(() => part)
  const item = new RegExp(String.raw`\s*${parts.join(String.raw`\.`)}\s*(?:,|$)`, 'y')
  const patterns: NamePattern[] = []
  for (let at = 0; list.slice(at).trim() !== '';) {
    item.lastIndex = at
    const match = item.exec(list)
    if (match === null) {
      throw new Failure('config', `cannot be read as ${form} from ${JSON.stringify(list.slice(at).trim())} on`)
    }
    patterns.push(namePattern(match.slice(1)))
    at = item.lastIndex
  }
  return patterns
}

function namePattern(texts: readonly string[]): NamePattern {
  const parts = texts.map(partPattern)
  const rules = parts.map(rule)
  return {
    text: texts.join('.'),
    exact: parts.every(({ length }) => length === 1) ? parts.map(([piece]) => piece!) : undefined,
    like: parts.map(likeText),
    matches: (...names) => rules.every((part, k) => part.test(names[k]!)),
  }
}

function partPattern(text: string): PartPattern {
  const pieces = ['']
  for (const [token, quoted] of text.matchAll(/"((?:[^"]|"")+)"|\*|[^"*]+/g)) {
    if (token === '*') pieces.push('')
    else pieces.push(`${pieces.pop()!}${quoted?.replaceAll('""', '"') ?? token}`)
  }
  return pieces
}

function likeText(pattern: PartPattern): string {
  return pattern.map((piece) => piece.replace(/[%_\\]/g, '\\$&')).join('%')
}

function rule(pattern: PartPattern): RegExp {
  const literal = (piece: string): string => piece.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
  return new RegExp(`^${pattern.map(literal).join('.*')}$`, 's')
}
