// `./run.sh bench`: the benchmarks one after the other. Each prints ratios to a baseline of the same run.
import { backlog } from './backlog.js'

process.exitCode = (await backlog()) ? 0 : 1
