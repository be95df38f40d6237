// ZSTD on the thread pool, one call a page. The package's own wrapper drops the level, so its bindings are called.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const bindings = require('@mongodb-js/zstd/bindings.js') as {
  compress(data: Buffer, level: number): Promise<Buffer>
}

/** Compresses one page; `data` must not change until the promise settles. */
export type Compress = (data: Buffer) => Promise<Buffer>

/** `level`: 1 (fastest) to 22. */
export function zstdAt(level: number): Compress {
  return (data) => bindings.compress(data, level)
}
