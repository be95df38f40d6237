// Finds environment variables that were meant for this program and are not spelt as one of its own. It says nothing of
// variables that belong to others: an ordinary shell, a Kubernetes pod and a CI job must pass.
import type { Environment } from './connection-string.js'
import { isVariable, variables } from './variables.js'

/** What starts like this is ours or a mistake. */
const ownPrefixes = [
  'PG_CONN',
  'PG_SLOT',
  'PG_PUBLICATION',
  'EXCLUDE_TABLE',
  'EXCLUDE_COLUMN',
  'HASH_COLUMN',
  'S3_',
  'LAKE_',
  'FLUSH_',
  'TARGET_FILE_',
  'MEMORY_LIMIT_',
  'UPLOAD_',
  'ZSTD_',
  'SNAPSHOT_',
  'WAL_CAKE_',
]

/** Variables of other programs that come close to ours: of the zstd command, the AWS SDKs, Python programs. */
const foreign = /^(ZSTD_CLEVEL|ZSTD_NBTHREADS|AWS_ENDPOINT_URL_[A-Z0-9_]+|LOGLEVEL)$/

/** What Kubernetes sets for each service in a pod's namespace; a service may be called `s3` or `wal-cake`. */
const kubernetesService = /_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/
const kubernetesPort = /^(tcp|udp|sctp):\/\//

/** More make another name. */
const MOST_EDITS = 2

/** One problem for each variable that looks like a misspelt one of ours, naming the nearest; values are never shown. */
export function misspeltVariables(env: Environment): string[] {
  return Object.entries(env).flatMap(([name, value]) => {
    if (value === undefined || value === '' || isVariable(name)) return []
    const nearest = nearestVariable(name, value)
    return nearest === undefined ? [] : [`${name}: there is no such variable; did you mean ${nearest}?`]
  })
}

function nearestVariable(name: string, value: string): string | undefined {
  const upper = name.toUpperCase()
  if (foreign.test(name)) return undefined
  if (kubernetesService.test(name) || (name.endsWith('_PORT') && kubernetesPort.test(value))) return undefined
  const bare = upper.replace(/^WAL_CAKE_/, '')
  const isOwn = ownPrefixes.some((prefix) => upper.startsWith(prefix))
  const [nearest] = variables
    // A pod may have hundreds of variables, of which hardly one is as long as one of ours.
    .filter((candidate) => isOwn || Math.abs(candidate.name.length - bare.length) <= MOST_EDITS)
    .map((candidate) => ({ name: candidate.name, distance: editDistance(bare, candidate.name) }))
    .sort((a, b) => a.distance - b.distance)
  if (nearest === undefined) return undefined
  // In a short name two edits make another word: PG_ROOT, CABLES.
  const tolerance = nearest.name.length < 8 ? 1 : MOST_EDITS
  return nearest.distance <= tolerance || isOwn ? nearest.name : undefined
}

/** Insertions, deletions, substitutions and swaps of neighbours that turn one text into the other. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swap = swapped ? beforeLast[j - 2]! + 1 : Infinity
      row.push(Math.min(last[j]! + 1, row[j - 1]! + 1, substitution, swap))
    }
    beforeLast = last
    last = row
  }
  return last[b.length]!
}
