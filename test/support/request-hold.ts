// Stops the world at a request to the S3 server: what matches gets no answer until it is let go. So a process can be killed
// at an exact point without a hook in it.
import type { TestContext } from 'node:test'
import { eventually, type Patience } from './eventually.js'
import type { S3Request } from './s3-request.js'
import type { S3Server } from './s3-server.js'

/** Which requests that write something are held. */
export interface Held {
  readonly key: RegExp
  readonly body?: RegExp
  /** So many that match go through first; 0 unless told. */
  readonly pass?: number
  /** They take effect, and only their answer is held. */
  readonly done?: boolean
}

export class RequestHold {
  /** Keys of the requests that are held, in the order in which they came. */
  readonly held: string[] = []
  /** Their contents. */
  readonly bodies: Buffer[] = []
  readonly #server: S3Server
  readonly #waiting: (() => void)[] = []

  constructor(t: TestContext, server: S3Server, { key, body, pass = 0, done = false }: Held) {
    this.#server = server
    // A test that fails while it holds must not hold up the next.
    t.after(() => this.forget())
    let passed = 0
    server.onBeforeRequest = async (request) => {
      if (!isWrite(request) || !key.test(request.key) || body?.test(request.body.toString()) === false) return
      if (passed++ < pass) return
      if (done) server.objects.perform(request)
      this.held.push(request.key)
      this.bodies.push(request.body)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** Resolves when so many requests are held. */
  async reached(count = 1, patience: Patience = {}): Promise<void> {
    await eventually(() => this.held.length >= count, patience)
  }

  /** Holds nothing more; what is held stays so. */
  pass(): void {
    this.#server.onBeforeRequest = undefined
  }

  /** Holds nothing any more; what is held goes on. */
  letGo(): void {
    this.#server.onBeforeRequest = undefined
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** Holds nothing any more; what is held is never done, as if the connection had been cut. */
  forget(): void {
    this.#server.onBeforeRequest = undefined
    this.#waiting.length = 0
  }
}

function isWrite({ operation }: S3Request): boolean {
  return operation === 'PutObject' || operation === 'CompleteMultipartUpload' || operation === 'UploadPart'
}
