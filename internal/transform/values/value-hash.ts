// Hashes in the place of values: HMAC-SHA-256 of a value's text form, the same text whichever form the server has sent, so that
// equal values stay equal across tables, files and copies.
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { ScalarColumn } from '../parquet/column-buffers.js'
import { BytesValues } from '../parquet/leaf-values.js'
import { writeString, type Put, type TextSink, type WriteText } from './scalar-codec.js'
import type { TextColumns, ValueCodec } from './value-codec.js'
import { stringType } from './verbatim-text.js'

/** What the fingerprint of a salt is the hash of. */
const FINGERPRINT_OF = 'wal-cake: which salt'
const FINGERPRINT_DIGITS = 16

export class ValueHash {
  /** Tells salts apart without telling anything of them that a hash of a known value does not. */
  readonly fingerprint: string
  readonly #key: KeyObject

  constructor(salt: string) {
    this.#key = createSecretKey(salt, 'utf8')
    const whole = this.hexOf((out) => writeString(FINGERPRINT_OF, out))
    this.fingerprint = whole.slice(0, FINGERPRINT_DIGITS)
  }

  /** 64 lower-case hexadecimal digits, of the text that `write` hands over in one piece or several. */
  hexOf(write: (out: TextSink) => void): string {
    const hmac = createHmac('sha256', this.#key)
    write((utf8, start, end) => void hmac.update(utf8.subarray(start, end)))
    return hmac.digest('hex')
  }
}

/**
 * Takes the values that `clear` takes, and stores their hashes. In a database that promises no encoding they are known in text
 * alone: there the bytes of a text would not survive being printed from binary.
 */
export function hashedCodec(clear: ValueCodec, hash: ValueHash, textColumns: TextColumns): ValueCodec {
  const ofText = hexOf(hash, clear.writeTextOfText ?? asItIs)
  const text = textColumns === 'bytes' ? undefined : writerOf(clear)
  const ofBinary = text && hexOf(hash, text)
  return {
    type: stringType,
    list: false,
    bind(intake) {
      const leaf = new BytesValues(intake)
      const put = (hex: HexOf): Put => {
        return (buffer, start, end) => {
          leaf.pushString(hex(buffer, start, end))
          return true
        }
      }
      return { buffer: new ScalarColumn(leaf), putText: put(ofText), putBinary: ofBinary && put(ofBinary) }
    },
    textOfBinary: ofBinary,
    writeTextOfText: (buffer, start, end, out) => writeString(ofText(buffer, start, end), out),
  }
}

type HexOf = (buffer: Buffer, start: number, end: number) => string

function hexOf(hash: ValueHash, write: WriteText): HexOf {
  return (buffer, start, end) => hash.hexOf((out) => write(buffer, start, end, out))
}

const asItIs: WriteText = (buffer, start, end, out) => out(buffer, start, end)

/** The text of a binary value; undefined where the binary form is not known. */
function writerOf({ writeTextOfBinary, textOfBinary }: ValueCodec): WriteText | undefined {
  if (writeTextOfBinary !== undefined || textOfBinary === undefined) return writeTextOfBinary
  return (buffer, start, end, out) => writeString(textOfBinary(buffer, start, end), out)
}
