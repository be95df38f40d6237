// How long a test may go on looking for faults: `./run.sh test soak MINUTES` says so, and this is where it is read.

/** Undefined in an ordinary run. */
export function soakMinutes(): number | undefined {
  const { SOAK_MINUTES: minutes } = process.env
  return minutes === undefined || minutes === '' ? undefined : Number(minutes)
}
