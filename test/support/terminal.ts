// A stream to print on, that says whether it is a terminal.
import { PassThrough } from 'node:stream'

/** `text`: what came since the last time. */
export function output(isTTY: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 200, rows: 50 })
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => String(stream.read() ?? '') }
}
