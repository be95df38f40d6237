// What stands where a table's column is left out of the lake: it takes every value and keeps none, so that a row is walked as
// any other.
import type { ColumnBuffer } from './parquet/column-buffers.js'
import type { Put } from './values/scalar-codec.js'

const buffer: ColumnBuffer = {
  full: false,
  openBytes: 0,
  appendNull: () => undefined,
  seal: () => undefined,
  discard: () => undefined,
  restart: () => undefined,
}
const put: Put = () => true

/** Bound as the columns of a file are, and in none. */
export const leftOut = { buffer, putText: put, putBinary: put }
