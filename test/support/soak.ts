// How long a test may go on looking for faults, and how large it may be: `./run.sh test soak MINUTES` says so, and this is
// where it is read.

/** Undefined in an ordinary run. A file that asks goes on for so long, beside all others that do. */
export function soakMinutes(): number | undefined {
  const { SOAK_MINUTES: minutes } = process.env
  return minutes === undefined || minutes === '' ? undefined : Number(minutes)
}

/** What an ordinary run can afford, and the whole in a soak: the same once more, in more variants, or larger. */
export function unlessSoaking<T>(usual: T, whole: T): T {
  return soakMinutes() === undefined ? usual : whole
}
