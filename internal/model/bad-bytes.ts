// Bytes from the server that are not what they should be, and where they begin. Whoever reads them throws this; whoever cut
// the message out of the stream makes a failure of it that an operator can place: message, position, byte (G9).
import { Failure } from './failure.js'

export class BadBytes extends Failure {
  /** In the buffer that the bytes were read from. */
  readonly at: number

  constructor(at: number, problem: string, cause?: unknown) {
    super('protocol', problem, { cause })
    this.at = at
  }
}
