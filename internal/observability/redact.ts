// Takes secrets out of text that people will read: passwords in whatever looks like a connection string, and the
// values that are known to be secret. It may hide too much, never too little.

export const mask = '***'

/** The greedy middle takes a password that itself holds `@`, `:` or `/`. */
const urlPassword = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:@/]*):\S*@/gi
const namedPassword = /(\w*password\s*=\s*)(?:'(?:[^'\\]|\\.)*(?:'|$)|(?:[^\s\\]|\\.|\\$)+)/gis

/** Replaces the password of every URL and every `password=…` in the text. */
export function redact(text: string): string {
  return text.replace(urlPassword, `$1:${mask}@`).replace(namedPassword, `$1${mask}`)
}

/** Replaces each secret, also where it is JSON-escaped or percent-encoded, and what redact() finds. */
export function secretMask(secrets: readonly string[]): (text: string) => string {
  const forms = spellings(secrets)
  return (text) => redact(forms.reduce((masked, form) => masked.replaceAll(form, mask), text))
}

/** Every spelling under which a secret may stand in a line, longest first, so that none leaves a rest of another. */
export function spellings(secrets: readonly string[]): string[] {
  const forms = secrets
    .filter((secret) => secret !== '')
    .flatMap((secret) => {
      const urlForms = [encodeURIComponent(wellFormed(secret)), encodeURI(wellFormed(secret))]
      const escaped = JSON.stringify(secret).slice(1, -1)
      const query = new URLSearchParams([['', secret]]).toString().slice(1)
      return [secret, escaped, query, ...urlForms, ...urlForms.map(lowerCaseEscapes)]
    })
  return [...new Set(forms)].sort((a, b) => b.length - a.length)
}

/** Percent-encoding is undefined for half a surrogate pair, which only broken input holds. */
function wellFormed(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8')
}

function lowerCaseEscapes(text: string): string {
  return text.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase())
}
