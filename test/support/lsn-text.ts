// LSNs as the log and the server write them, "16/B374D848", as numbers. The tests' own reading, not the program's.

export function lsn(text: string): bigint {
  const [high, low] = text.split('/')
  if (high === undefined || low === undefined) throw new Error(`not an LSN: ${text}`)
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`)
}
