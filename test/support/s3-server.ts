// The test suite's own S3 service: loopback only, in memory, signatures checked, and faults on demand. The conformance
// suite runs over it and over real stores, so that what is proved with it holds there too.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { S3Faults, type FaultAction } from './s3-faults.js'
import { element, escape, S3Objects, xml, type S3Answer } from './s3-objects.js'
import { readBody, requestHead, S3Error, verify, type S3Keys, type S3Operation, type S3Request } from './s3-request.js'

export interface LoggedRequest {
  readonly method: string
  readonly operation: S3Operation
  readonly bucket: string
  readonly key: string
  /** 0 while, or where, nothing was answered. */
  readonly status: number
  /** Of the body that came. */
  readonly receivedBytes: number
  /** Of the body that went out. */
  readonly sentBytes: number
}

export class S3Server {
  readonly keys: S3Keys = { accessKeyId: 'TESTKEY', secretAccessKey: 'test-secret/with+signs' }
  readonly faults = new S3Faults()
  readonly objects: S3Objects
  /** Every request whose signature held, in the order in which they came. */
  readonly log: LoggedRequest[] = []
  /** Awaited before a request takes effect: a test can stop the world here. */
  onBeforeRequest: ((request: S3Request) => Promise<void> | void) | undefined
  #connections = 0
  readonly #stopped = new AbortController()
  readonly #server = createServer((message, response) => {
    void this.#serve(message, response)
  })

  private constructor(objects: S3Objects) {
    this.objects = objects
  }

  /** `objects`: of another server, which is then a second way to the same buckets, with faults of its own. */
  static async start(objects = new S3Objects()): Promise<S3Server> {
    const server = new S3Server(objects)
    server.#server.on('connection', () => server.#connections++)
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** That came so far. */
  get connections(): number {
    return this.#connections
  }

  /** Cuts what is under way. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const head = requestHead(message)
      const fault = this.faults.next(head)
      if (fault?.do === 'hangInBody' || fault?.do === 'resetInBody') {
        await readBody(message, fault.afterBytes)
        if (fault.do === 'resetInBody') reset(response)
        return
      }
      const body = await readBody(message)
      const { method, operation, bucket, key } = head
      const entry = { method, operation, bucket, key, status: 0, receivedBytes: body.length, sentBytes: 0 }
      try {
        const request = verify({ ...head, body }, this.keys)
        this.log.push(entry)
        await this.onBeforeRequest?.(request)
        await this.#answer(request, response, entry, fault)
      } catch (error) {
        send(response, errorAnswer(error), entry)
      }
    } catch {
      // The client went away, or the server was stopped.
      response.destroy()
    }
  }

  async #answer(
    request: S3Request,
    response: ServerResponse,
    entry: SentEntry,
    fault: Exclude<FaultAction, { do: 'hangInBody' | 'resetInBody' }> | undefined,
  ): Promise<void> {
    switch (fault?.do) {
      case 'answer':
        send(response, injectedAnswer(fault), entry)
        return
      case 'reset':
        reset(response)
        return
      case 'hang':
        return
      case 'delay':
        await this.#wait(fault.ms)
        send(response, this.#perform(request), entry)
        return
      case 'loseAnswer':
        this.#perform(request)
        reset(response)
        return
      case 'answerLate': {
        const answer = this.#perform(request)
        await this.#wait(fault.ms)
        send(response, answer, entry)
        return
      }
      case 'hangBody':
        sendHalf(response, this.#perform(request), entry)
        return
      case 'cutBody':
        sendHalf(response, this.#perform(request), entry, () => response.socket?.end())
        return
      case 'halfBody': {
        const answer = this.#perform(request)
        const whole = Buffer.from(answer.body ?? '')
        send(response, { ...answer, body: whole.subarray(0, Math.ceil(whole.length / 2)) }, entry)
        return
      }
      case undefined:
        send(response, this.#perform(request), entry)
        return
      default:
        fault satisfies never
    }
  }

  #perform(request: S3Request): S3Answer {
    try {
      return this.objects.perform(request)
    } catch (error) {
      return errorAnswer(error)
    }
  }

  async #wait(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stopped.signal })
  }
}

interface SentEntry {
  status: number
  sentBytes: number
}

function send(response: ServerResponse, answer: S3Answer, entry: SentEntry): void {
  const body = Buffer.from(answer.body ?? '')
  const isHead = response.req.method === 'HEAD'
  entry.status = answer.status
  entry.sentBytes = isHead ? 0 : body.length
  response.writeHead(answer.status, { ...answer.headers, 'content-length': body.length })
  response.end(isHead ? undefined : body)
}

function sendHalf(response: ServerResponse, answer: S3Answer, entry: SentEntry, then?: () => void): void {
  const body = Buffer.from(answer.body ?? '')
  entry.status = answer.status
  // Of an answer without a body the client must still wait for one.
  response.writeHead(answer.status, { ...answer.headers, 'content-length': Math.max(2, body.length) })
  response.write(body.length === 0 ? ' ' : body.subarray(0, Math.ceil(body.length / 2)), then)
}

function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy()
}

function injectedAnswer({ status, code, body }: FaultAction & { do: 'answer' }): S3Answer {
  return body === undefined ? errorAnswer(new S3Error(status, code, 'An injected fault.')) : { status, body }
}

function errorAnswer(error: unknown): S3Answer {
  const { status, code, message } =
    error instanceof S3Error ? error : new S3Error(500, 'InternalError', error instanceof Error ? error.message : '')
  return xml(element('Error', [element('Code', code), element('Message', escape(message))]), status)
}
