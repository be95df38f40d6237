// The settings with which the processes of a run are started: small batches and files, so that much happens; others at each
// start, because a batch that was planned under some is replayed under others.
import type { Env } from '../../support/rig.js'

const CHOICES = {
  FLUSH_INTERVAL: ['50ms', '100ms', '200ms', '500ms'],
  FLUSH_BYTES: ['16KiB', '100KiB', '1MiB', '3MiB'],
  TARGET_FILE_BYTES: ['16KiB', '48KiB', '300KiB', '64MiB'],
  ZSTD_LEVEL: ['1', '3', '7'],
  MEMORY_LIMIT: ['16MiB', '24MiB', '64MiB'],
  UPLOAD_CONCURRENCY: ['1', '2', '8'],
} as const

/** The same for the same number. */
export function settingsOf(number: number): Env {
  const env: Record<string, string> = {}
  // Each variable goes through its values at a pace of its own.
  let pace = 1
  for (const [name, values] of Object.entries(CHOICES)) {
    env[name] = values[Math.floor(number / pace) % values.length]!
    pace *= values.length - 1
  }
  return env
}
