#!/usr/bin/env -S node --initial-old-space-size=40
// The program's first file: sizes the thread pool, on which pages are compressed. The loader of ES modules reads their files on it,
// so from the first one on it is too late; this is CommonJS, which is read without it.
import os = require('node:os')

// One thread a core: with more, what compresses took the walsender's core, and a backlog 4 % longer.
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(2, os.availableParallelism()))
void import('./main.js')
