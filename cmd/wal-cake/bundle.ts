// Part of the build: puts the program's modules and those of its packages together in a few files. Node looks for and reads each
// module by itself; with two thirds fewer it starts 0.2 s and 0.45 s of CPU sooner (docs/decisions/0015-bundle.md).
import { copyFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { programFile } from './program.js'

const main = fileURLToPath(new URL('main.js', import.meta.url))

await build({
  entryPoints: [main],
  // Files of earlier builds stay: their names have hashes, and a program that runs may still read one.
  outdir: dirname(programFile),
  bundle: true,
  // A verb, and the SDK of a store that is not used, are not even read.
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.12',
  // Binaries, and what `pg` tries to load where somebody has installed it.
  external: ['@mongodb-js/zstd', 'pg-native'],
  // `pg` makes one to find out whether this is another runtime, for which Node 20 loads all of `fetch`: 0.04 s of each start.
  define: { Response: 'undefined' },
  // Packages that are CommonJS call it for Node's own modules.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
  logLevel: 'warning',
})
await copyFile(new URL('launch.cjs', import.meta.url), programFile)
