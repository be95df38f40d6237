// What a storage call throws once its caller's signal has fired: one form for every store.
import { Failure } from '../model/failure.js'

/** The signal's own reason where that is a Failure, else `gave_up`. `doing` completes "stopped …". */
export function stoppedFailure(signal: AbortSignal, doing: string): Failure {
  if (signal.reason instanceof Failure) return signal.reason
  return new Failure('gave_up', `stopped ${doing}`, { cause: signal.reason })
}

export function throwIfStopped(signal: AbortSignal | undefined, doing: string): void {
  if (signal?.aborted === true) throw stoppedFailure(signal, doing)
}
