// Ratios as horizontal bars in one SVG file that needs nothing else: no font, no script, no sheet of styles. It has a
// background of its own, since a page need not be as light or as dark as the reader's system says.

export interface Bar {
  readonly label: string
  readonly value: number
  /** Stands out. */
  readonly ours?: boolean
}

const WIDTH = 720
const MARGIN = 20
const TITLE_BASELINE = 36
const BARS_TOP = 58
const BAR_HEIGHT = 22
const BAR_STEP = 34
const CAPTION_STEP = 18
/** Between a label and its bar, and between a bar and its value. */
const GAP = 10
const VALUE_WIDTH = 64
/** A letter's width is not known here; these are what system fonts take on average, rounded up. */
const LABEL_LETTER = 7.4
const CAPTION_LETTERS = 104
const MOST_LABEL_WIDTH = 320

const style = `
  text { font: 14px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328 }
  .title { font-size: 17px; font-weight: 600 }
  .caption { font-size: 12px; fill: #59636e }
  .ground { fill: #ffffff }
  .bar { fill: #b4bcc6 }
  .ours { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .caption { fill: #9aa4af }
    .ground { fill: #0d1117 }
    .bar { fill: #57606a }
    .ours { fill: #4493f8 }
  }
`

/** The longest bar fills the width; all begin at 0. `caption`: what was measured, below the bars. */
export function pictureOf(bars: readonly Bar[], title: string, caption: string): string {
  const lines = wrapped(caption)
  const captionTop = BARS_TOP + bars.length * BAR_STEP + GAP
  const height = captionTop + lines.length * CAPTION_STEP + GAP
  const told = bars.map(({ label, value }) => `${label}: ${valueText(value)}`).join('; ')
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}">`,
    `<title>${escaped(title)}</title>`,
    `<desc>${escaped(told)}</desc>`,
    `<style>${style}</style>`,
    `<rect class="ground" width="${WIDTH}" height="${height}" rx="6"/>`,
    `<text class="title" x="${MARGIN}" y="${TITLE_BASELINE}">${escaped(title)}</text>`,
    ...barLines(bars),
    ...lines.map((line, k) => {
      return `<text class="caption" x="${MARGIN}" y="${captionTop + k * CAPTION_STEP + GAP}">${escaped(line)}</text>`
    }),
    '</svg>\n',
  ].join('\n')
}

function barLines(bars: readonly Bar[]): string[] {
  const letters = Math.max(...bars.map(({ label }) => label.length))
  const left = MARGIN + Math.min(MOST_LABEL_WIDTH, Math.ceil(letters * LABEL_LETTER)) + GAP
  const fullWidth = WIDTH - MARGIN - VALUE_WIDTH - left
  const longest = Math.max(...bars.map(({ value }) => value))
  return bars.flatMap(({ label, value, ours = false }, k) => {
    const top = BARS_TOP + k * BAR_STEP
    const baseline = top + BAR_HEIGHT - 6
    const width = Math.round((value / longest) * fullWidth * 10) / 10
    return [
      `<text x="${left - GAP}" y="${baseline}" text-anchor="end">${escaped(label)}</text>`,
      `<rect class="${ours ? 'ours' : 'bar'}" x="${left}" y="${top}" width="${width}" height="${BAR_HEIGHT}" rx="3"/>`,
      `<text x="${left + width + GAP}" y="${baseline}">${valueText(value)}</text>`,
    ]
  })
}

function valueText(value: number): string {
  const maximumFractionDigits = value < 1 ? 2 : value < 10 ? 1 : 0
  return `${value.toLocaleString('en', { maximumFractionDigits })} x`
}

/** SVG breaks no lines by itself. */
function wrapped(text: string): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1)!} ${word}`.trimStart()
    if (longer.length <= CAPTION_LETTERS) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines
}

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }
  return text.replaceAll(/[&<>]/g, (character) => entities[character]!)
}
