// A condition in a request is SQL that the server will run for our role, and whoever may write into the bucket could leave one there.
// So it counts only with a signature by the password of the connection.
import { createHmac, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { CopyRequest } from '../../storage/copy-requests.js'

const KEY_BYTES = 32
/** Whoever may read the bucket can try passwords on a signature: each try takes some tenths of a second and 16 MiB. */
const COST = { N: 1 << 14, r: 8, p: 5, maxmem: 32 << 20 }

const derive = promisify<string, string, number, object, Buffer>(scrypt)

/** Hexadecimal. `slot` keeps a request from being moved to another lake. */
export async function signatureOf(
  { id, schema, table, where }: CopyRequest,
  slot: string,
  password: string,
): Promise<string> {
  const key = await derive(password, `wal-cake copy request ${id}`, KEY_BYTES, COST)
  return createHmac('sha256', key)
    .update(JSON.stringify([slot, id, schema, table, where]))
    .digest('hex')
}

/** Its condition may be run. */
export async function isTrusted(request: CopyRequest, slot: string, password: string | undefined): Promise<boolean> {
  const { where, signature = '' } = request
  if (where === undefined) return true
  if (password === undefined) return false
  const [ours, theirs] = [await signatureOf(request, slot, password), signature].map((text) => Buffer.from(text))
  return ours!.length === theirs!.length && timingSafeEqual(ours!, theirs!)
}
