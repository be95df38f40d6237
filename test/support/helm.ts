// Helm, where it is installed, and what Kubernetes says of manifests: their types, with every unknown or missing field an error.
import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import ts from 'typescript'

/** Building it takes minutes, which is why no test does. */
export const noHelm =
  'no helm: GOBIN=~/.cache/wal-cake/bin go install helm.sh/helm/v3/cmd/helm@v3.16.4 (four minutes, once)'

/** In the PATH, in Go's folder, or in our cache. */
export async function findHelm(): Promise<string | undefined> {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'wal-cake', 'bin')
  const folders = [...(process.env.PATH ?? '').split(delimiter), join(homedir(), 'go', 'bin'), cache]
  for (const folder of folders.filter((folder) => folder !== '')) {
    const path = join(folder, 'helm')
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path
  }
  return undefined
}

/** What Helm prints. Rejects with what it says on standard error. */
export async function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { stdout } = await promisify(execFile)(program, args, { env: { ...process.env, ...env }, maxBuffer: 1 << 24 })
  return stdout
}

export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly [field: string]: unknown
}

const modules: Readonly<Record<string, string>> = {
  v1: 'core/v1',
  'apps/v1': 'apps/v1',
  'policy/v1': 'policy/v1',
  'networking.k8s.io/v1': 'networking/v1',
}

/** What is wrong with them by the types of Kubernetes 1.30; kinds that others have defined are left out. */
export async function mistakes(manifests: readonly Manifest[]): Promise<string[]> {
  const lines = manifests.flatMap((manifest, k) => {
    const module = modules[manifest.apiVersion]
    if (module === undefined) return []
    return `export const m${k}: import('kubernetes-types/${module}').${manifest.kind} = ${JSON.stringify(manifest)}`
  })
  const folder = await mkdtemp(join(process.cwd(), 'node_modules', '.manifests-'))
  try {
    const file = join(folder, 'manifests.ts')
    await writeFile(file, `${lines.join('\n')}\n`)
    const program = ts.createProgram([file], {
      strict: true,
      noEmit: true,
      types: [],
      lib: ['lib.es2022.d.ts'],
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      skipLibCheck: true,
    })
    const found = ts.getPreEmitDiagnostics(program)
    return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))
  } finally {
    await rm(folder, { recursive: true })
  }
}
