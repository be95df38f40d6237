// `./run.sh bench [memory]`: the benchmarks. Speeds are ratios to a baseline of the same run; memory is measured when asked for.
import { backlog } from './backlog.js'
import { memory } from './memory.js'

const [name, ...args] = process.argv.slice(2)
process.exitCode = (await (name === 'memory' ? memory(args) : backlog())) ? 0 : 1
