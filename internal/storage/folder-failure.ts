// What an error of the file system means for the service: it may pass by itself (`store_away`), or a person has to mend
// it (`config`), which is the default. What is no error of the file system is neither, and so stops.
import { Failure } from '../model/failure.js'

const passingHints: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk of LAKE_DIR is full: free some space; the service goes on by itself.',
  EDQUOT: 'The quota of LAKE_DIR is used up: raise it or free some space; the service goes on by itself.',
  EIO: 'The disk of LAKE_DIR fails: see the kernel log.',
  ESTALE: 'The network mount of LAKE_DIR has changed under us: see whether it must be mounted again.',
  EMFILE: 'Raise the limit of open files (ulimit -n).',
  ENFILE: 'Raise the limit of open files of the machine.',
}

const passing = new Set([
  ...Object.keys(passingHints),
  // Somebody removed a folder of the lake between our making it and our writing into it; the next try makes it again.
  'ENOENT',
  'EAGAIN',
  'EBUSY',
  'EINTR',
  'ENOMEM',
  'ENODEV',
  'ENXIO',
  'ENOTCONN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ETIMEDOUT',
])

const rights = 'Let the user that runs the service write to LAKE_DIR and all folders in it.'

const mendable: Readonly<Record<string, string>> = {
  EACCES: rights,
  EPERM: rights,
  EROFS: 'Mount the file system of LAKE_DIR for writing.',
  EXDEV: 'Everything below LAKE_DIR must lie on one file system.',
}

/** The failure that a file system's error is. `doing` completes "cannot …"; `folder` is LAKE_DIR. */
export function folderFailure(error: unknown, doing: string, folder: string): Failure {
  if (error instanceof Failure) return error
  const code = errorCode(error) ?? ''
  const message = `cannot ${doing} in ${folder}: ${error instanceof Error ? error.message : String(error)}`
  const mend = mendable[code]
  if (mend !== undefined) return new Failure('config', message, { hint: mend, cause: error })
  if (!passing.has(code)) {
    if (!isOfSystem(error)) return new Failure('unexpected', message, { cause: error })
    return new Failure('config', message, { hint: 'See what lies in LAKE_DIR at this place.', cause: error })
  }
  const hint = passingHints[code]
  return new Failure('store_away', message, { cause: error, ...(hint === undefined ? {} : { hint }) })
}

function isOfSystem(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
