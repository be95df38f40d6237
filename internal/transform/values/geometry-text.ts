// The geometric types as PostgreSQL prints them (utils/adt/geo_ops.c): float8 coordinates, shortest digits.
import { float8Text } from './float-text.js'
import { notAValue, requireWidth, type TextOf } from './scalar-codec.js'

const POINT_BYTES = 16

function pointAt(buffer: Buffer, at: number): string {
  return `(${float8Text(buffer.readDoubleBE(at))},${float8Text(buffer.readDoubleBE(at + 8))})`
}

/** All points from `start` to `end`. */
function pointsBetween(buffer: Buffer, start: number, end: number): string {
  const points: string[] = []
  for (let at = start; at < end; at += POINT_BYTES) points.push(pointAt(buffer, at))
  return points.join(',')
}

export const pointText: TextOf = (buffer, start, end) => {
  requireWidth('point', start, end, POINT_BYTES)
  return pointAt(buffer, start)
}

export const lsegText: TextOf = (buffer, start, end) => {
  requireWidth('lseg', start, end, 2 * POINT_BYTES)
  return `[${pointsBetween(buffer, start, end)}]`
}

export const boxText: TextOf = (buffer, start, end) => {
  requireWidth('box', start, end, 2 * POINT_BYTES)
  return pointsBetween(buffer, start, end)
}

/** A byte that tells closed from open, the number of points, the points. */
export const pathText: TextOf = (buffer, start, end) => {
  requirePoints('path', buffer, start + 1, end)
  const points = pointsBetween(buffer, start + 5, end)
  return buffer[start] === 0 ? `[${points}]` : `(${points})`
}

export const polygonText: TextOf = (buffer, start, end) => {
  requirePoints('polygon', buffer, start, end)
  return `(${pointsBetween(buffer, start + 4, end)})`
}

function requirePoints(type: string, buffer: Buffer, start: number, end: number): void {
  if (end - start < 4 + POINT_BYTES || end - start !== 4 + POINT_BYTES * buffer.readInt32BE(start))
    throw notAValue(type, 'wrong number of points')
}

/** The three coefficients of Ax + By + C = 0. */
export const lineText: TextOf = (buffer, start, end) => {
  requireWidth('line', start, end, 24)
  const [a, b, c] = [0, 8, 16].map((offset) => float8Text(buffer.readDoubleBE(start + offset)))
  return `{${a!},${b!},${c!}}`
}

/** Centre and radius. */
export const circleText: TextOf = (buffer, start, end) => {
  requireWidth('circle', start, end, 24)
  return `<${pointAt(buffer, start)},${float8Text(buffer.readDoubleBE(start + POINT_BYTES))}>`
}
