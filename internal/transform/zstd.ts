// ZSTD on the thread pool, one call a page. The package's own wrapper drops the level, so its bindings are called.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const bindings = require('@mongodb-js/zstd/bindings.js') as {
  compress(data: Buffer, level: number): Promise<Buffer>
}

const FASTEST_LEVEL = 1

/** Compresses one page, `fastest` at level 1 whatever was asked for; `data` must not change until the promise settles. */
export type Compress = (data: Buffer, fastest?: boolean) => Promise<Buffer>

/** `level`: 1 (fastest) to 22. */
export function zstdAt(level: number): Compress {
  return (data, fastest = false) => bindings.compress(data, fastest ? FASTEST_LEVEL : level)
}
