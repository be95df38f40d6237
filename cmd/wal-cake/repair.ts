// `repair`: goes on after a gap. Without `--yes` it says what is missing and what it would do, and changes nothing.
import { repair as repairLake } from '../../internal/pipeline/repair.js'
import type { Invocation } from './main.js'
import { openStore, sessionSettings } from './pieces.js'
import { ProgressBar } from './progress-bar.js'

export async function repair({ config, logger, version, flags }: Invocation): Promise<void> {
  const store = await openStore(config)
  const settings = sessionSettings(config, version)
  const bar = new ProgressBar()
  try {
    const progress = (step: string, done: number, of: number): void => bar.show(step, done, of)
    await repairLake({ settings, store, logger, confirmed: flags.yes === true, progress })
  } finally {
    bar.end()
    store.close()
  }
}
