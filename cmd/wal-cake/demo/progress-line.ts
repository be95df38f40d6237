// One line that tells how far a run is: rewritten in place on a terminal, a plain line every few seconds elsewhere.

const LIVE_EVERY_MS = 200
const PLAIN_EVERY_MS = 5000

/** Shows `text()` until the returned function is called, which leaves the terminal's line empty. */
export function showProgress(text: () => string, out: NodeJS.WriteStream = process.stdout): () => void {
  const live = out.isTTY
  const timer = setInterval(
    () => out.write(live ? `\r\x1b[2K${text().slice(0, out.columns - 1)}` : `${text()}\n`),
    live ? LIVE_EVERY_MS : PLAIN_EVERY_MS,
  )
  return () => {
    clearInterval(timer)
    if (live) out.write('\r\x1b[2K')
  }
}
