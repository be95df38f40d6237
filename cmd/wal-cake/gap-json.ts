// Gaps of the log as the commands that print JSON tell them.
import { formatLsn } from '../../internal/model/lsn.js'
import type { RecordedGap } from '../../internal/storage/log-totals.js'

export function gapsJson(gaps: readonly RecordedGap[]): object[] {
  return gaps.map(({ batch, reason, missingFrom, missingTo }) => ({
    ...{ batch, reason, missing_from: formatLsn(missingFrom), missing_to: formatLsn(missingTo) },
  }))
}
