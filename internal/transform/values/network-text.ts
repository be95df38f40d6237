// inet, cidr, macaddr and macaddr8 as PostgreSQL prints them (network.c, mac.c, mac8.c in utils/adt; inet_net_ntop.c).
import { notAValue, requireWidth, type TextOf } from './scalar-codec.js'

const IPV4 = 2
const IPV6 = 3

/** inet leaves out the prefix length where it covers the whole address. */
export const inetText: TextOf = (buffer, start, end) => networkText('inet', buffer, start, end, false)
export const cidrText: TextOf = (buffer, start, end) => networkText('cidr', buffer, start, end, true)

/** Family, prefix length, a flag for cidr, number of address bytes, address. */
function networkText(type: string, buffer: Buffer, start: number, end: number, alwaysPrefix: boolean): string {
  const family = buffer[start]
  const addressBytes = family === IPV4 ? 4 : family === IPV6 ? 16 : -1
  if (end - start !== 4 + addressBytes || buffer[start + 3] !== addressBytes) throw notAValue(type, 'no address')
  const prefix = buffer[start + 1]!
  if (prefix > addressBytes * 8 || (alwaysPrefix && hasBitsBehind(buffer, start + 4, addressBytes, prefix)))
    throw notAValue(type, 'wrong prefix length')
  const address = family === IPV4 ? ipv4Text(buffer, start + 4) : ipv6Text(buffer, start + 4)
  return alwaysPrefix || prefix !== addressBytes * 8 ? `${address}/${prefix}` : address
}

/** A network has nothing behind its prefix. */
function hasBitsBehind(buffer: Buffer, at: number, bytes: number, prefix: number): boolean {
  for (let k = prefix >> 3; k < bytes; k++) {
    const kept = k === prefix >> 3 ? prefix & 7 : 0
    if ((buffer[at + k]! & (0xff >> kept)) !== 0) return true
  }
  return false
}

function ipv4Text(buffer: Buffer, at: number): string {
  return `${buffer[at]!}.${buffer[at + 1]!}.${buffer[at + 2]!}.${buffer[at + 3]!}`
}

/** The first of the longest runs of zero words is left out; an embedded IPv4 address keeps its dots. */
function ipv6Text(buffer: Buffer, at: number): string {
  const words = Array.from({ length: 8 }, (_, k) => buffer.readUInt16BE(at + 2 * k))
  const zeros = longestZeroRun(words)
  if (zeros.length < 2) return hexWords(words)
  const head = hexWords(words.slice(0, zeros.start))
  const holdsIpv4 = zeros.start === 0 && (zeros.length === 6 || (zeros.length === 5 && words[5] === 0xffff))
  if (holdsIpv4) return `::${zeros.length === 5 ? 'ffff:' : ''}${ipv4Text(buffer, at + 12)}`
  return `${head}::${hexWords(words.slice(zeros.start + zeros.length))}`
}

function hexWords(words: readonly number[]): string {
  return words.map((word) => word.toString(16)).join(':')
}

function longestZeroRun(words: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  let length = 0
  words.forEach((word, k) => {
    length = word === 0 ? length + 1 : 0
    if (length > best.length) best = { start: k + 1 - length, length }
  })
  return best
}

export const macaddrText: TextOf = (buffer, start, end) => {
  requireWidth('macaddr', start, end, 6)
  return hexPairs(buffer, start, end)
}

export const macaddr8Text: TextOf = (buffer, start, end) => {
  requireWidth('macaddr8', start, end, 8)
  return hexPairs(buffer, start, end)
}

function hexPairs(buffer: Buffer, start: number, end: number): string {
  return buffer.toString('hex', start, end).replace(/..(?=.)/g, '$&:')
}
