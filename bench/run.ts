// `./run.sh bench [copy | memory]`: the benchmarks. Speeds are ratios to a baseline of the same run; copies and memory are
// measured when asked for.
import { backlog } from './backlog.js'
import { copy } from './copy.js'
import { memory } from './memory.js'

const [name, ...args] = process.argv.slice(2)
const good = name === 'memory' ? memory(args) : name === 'copy' ? copy() : backlog()
process.exitCode = (await good) ? 0 : 1
