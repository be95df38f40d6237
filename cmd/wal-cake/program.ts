// How the program is started: its file, and the flags of its Node. The flags are for the engine when it makes its heap, so whoever
// starts the program names them: run.sh, the image and the program's first line do too (a test compares).
import { fileURLToPath } from 'node:url'

/** As bundle.ts makes it; as deep below the root as its module: what it reads beside the code it finds the same way. */
export const programFile = fileURLToPath(new URL('../../bundle/wal-cake/launch.cjs', import.meta.url))

/**
 * The engine counts the memory behind buffers as garbage that it may have to look after, and with a small heap began to look each
 * time some 20 MiB of pages had come and gone: 95 times in a copy of 5,000,000 rows, for 13 % of its CPU time. From 40 MiB on it
 * is a third as often; from 64 MiB on hardly ever, but then the most that was ever resident grew by 30 MiB.
 */
export const nodeFlags: readonly string[] = ['--initial-old-space-size=40']
