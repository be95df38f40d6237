// Preloaded into a process: it takes its machine for one of nine cores, and says at its end how many threads it has.
import fs = require('node:fs')
import os = require('node:os')

os.availableParallelism = () => 9
process.on('exit', () => console.log(`threads: ${fs.readdirSync('/proc/self/task').length}`))
