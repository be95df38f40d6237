// Text for people: aligned tables, sizes, counts. Pure; a terminal's width is not its business.

/** Columns of numbers are aligned to the right, all others to the left. */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(...[title, ...rows.map((row) => row[column] ?? '')].map(width)))
  const numeric = head.map(
    (_, column) =>
      rows.length > 0 && rows.every((row) => /^(-?[\d,]+(\.\d+)?( [kMG]?B| %)?)?$/.test(row[column] ?? '')),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => {
        const blanks = ' '.repeat((widths[column] ?? 0) - width(cell))
        return numeric[column] === true ? blanks + cell : cell + blanks
      })
      .join('  ')
      .trimEnd()
  return [line(head), widths.map((size) => '─'.repeat(size)).join('  '), ...rows.map(line)].join('\n')
}

export function formatCount(value: number): string {
  return value.toLocaleString('en-US')
}

export function formatBytes(bytes: number): string {
  for (const [unit, size] of [
    ['GB', 1e9],
    ['MB', 1e6],
    ['kB', 1e3],
  ] as const) {
    if (bytes >= size) return `${(bytes / size).toFixed(1)} ${unit}`
  }
  return `${bytes} B`
}

export function formatSeconds(seconds: number): string {
  return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`
}

/** In columns of a terminal: the wide characters of East Asia take two. */
function width(text: string): number {
  let columns = 0
  for (const character of text)
    columns += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/.test(character)
      ? 2
      : 1
  return columns
}
