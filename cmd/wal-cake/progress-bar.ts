// How far a command is, as one bar on a terminal; elsewhere nothing.
import { SingleBar } from 'cli-progress'

export class ProgressBar {
  readonly #out: NodeJS.WriteStream
  #bar: SingleBar | undefined

  constructor(out: NodeJS.WriteStream = process.stderr) {
    this.#out = out
  }

  /** `of` 0: how much it will be is not known. */
  show(step: string, done: number, of: number): void {
    if (!this.#out.isTTY) return
    this.#bar ??= this.#begun()
    this.#bar.setTotal(Math.max(1, of))
    this.#bar.update(done, { step })
  }

  /** The bar goes. */
  end(): void {
    this.#bar?.stop()
  }

  #begun(): SingleBar {
    const bar = new SingleBar({
      stream: this.#out,
      format: '{bar} {percentage} %  {step}',
      hideCursor: true,
      clearOnComplete: true,
    })
    bar.start(1, 0, { step: '' })
    return bar
  }
}
