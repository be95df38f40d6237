// What a bench has found, as values: printed as a table, written as JSON, and held against its bounds.

export interface Figure {
  /** The bench, as it is asked for. */
  readonly bench: string
  /** What was measured: `orders, 1,000 rows a transaction`. */
  readonly subject: string
  /** Of it: `speed`, `CPU`, `peak`. */
  readonly measure: string
  readonly value: number
  /** `x pg_recvlogical`, `s per million rows`, `MiB`. */
  readonly unit: string
  /** Below this the bench fails. */
  readonly least?: number
  /** Above this the bench fails. */
  readonly most?: number
}

export function holds({ value, least = -Infinity, most = Infinity }: Figure): boolean {
  return value >= least && value <= most
}

/** As a Markdown table with a line for each. */
export function tableOf(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const { bench, subject, measure, value, unit, least, most } = figure
    const bound = least !== undefined ? `≥ ${least}` : most !== undefined ? `≤ ${most}` : ''
    return [bench, subject, measure, `${rounded(value)} ${unit}`, holds(figure) ? bound : `${bound} (missed)`]
  })
  const lines = [['bench', 'case', 'measure', 'value', 'bound'], ['---', '---', '---', '---', '---'], ...rows]
  return lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

function rounded(value: number): string {
  if (value !== 0 && Math.abs(value) < 0.1) return value.toPrecision(2)
  return value.toLocaleString('en', {
    maximumFractionDigits: Math.abs(value) < 10 ? 2 : Math.abs(value) < 1000 ? 1 : 0,
  })
}
