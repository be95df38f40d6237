// The key/value form of a connection string: `host=localhost password='it\'s quoted'`, blanks around `=` allowed, a
// backslash taking the next character as it is (conninfo_parse in libpq). Messages never quote a part of the string.
import { Failure } from '../model/failure.js'

/** As isspace() in C: a no-break space is part of a value. */
const blank = /[ \t\n\r\f\v]*/y
const keyword = /([^ \t\n\r\f\v=]+)[ \t\n\r\f\v]*=[ \t\n\r\f\v]*/y
const quotedValue = /'((?:[^'\\]|\\.)*)'/sy
const bareValue = /((?:[^ \t\n\r\f\v\\]|\\.|\\$)*)/sy

/** Parameters by name, the last one of a name wins. Throws Failure `config` when it is not key/value text. */
export function parseKeyValues(text: string): Map<string, string> {
  const parameters = new Map<string, string>()
  for (let at = skip(text, 0); at < text.length; at = skip(text, at)) {
    keyword.lastIndex = at
    const name = keyword.exec(text)
    if (name === null) {
      throw new Failure(
        'config',
        'it is neither a postgres:// URL nor key=value pairs (a value that holds blanks goes in single quotes)',
      )
    }
    const valueRule = text[keyword.lastIndex] === "'" ? quotedValue : bareValue
    valueRule.lastIndex = keyword.lastIndex
    const value = valueRule.exec(text)
    if (value === null) throw new Failure('config', 'a single quote is not closed')
    parameters.set(name[1]!, value[1]!.replace(/\\(.?)/gs, '$1'))
    at = valueRule.lastIndex
  }
  return parameters
}

function skip(text: string, at: number): number {
  blank.lastIndex = at
  blank.exec(text)
  return blank.lastIndex
}
