// The logger: the form of its lines, how errors are told, and that no secret leaves it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { asFailure, Failure } from '../../../internal/model/failure.js'
import { createLogger, type Logger, type LoggerOptions } from '../../../internal/observability/logger.js'
import { anyCharacter } from '../../support/any-character.js'

function logged(log: (logger: Logger) => void, options: Partial<LoggerOptions> = {}): string {
  let text = ''
  const stream = { write: (line: string) => (text += line), isTTY: options.stream?.isTTY ?? false }
  log(createLogger({ level: 'trace', format: 'json', ...options, stream }))
  return text
}

function fields(log: (logger: Logger) => void, options: Partial<LoggerOptions> = {}): Record<string, unknown> {
  return JSON.parse(logged(log, options)) as Record<string, unknown>
}

test('logger: JSON with RFC 3339 time, level as text and nothing else of its own', () => {
  const { time, ...rest } = fields((logger) => logger.info({ batch: 7 }, 'batch committed'))
  assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.deepEqual(rest, { level: 'info', batch: 7, msg: 'batch committed' })
})

test('logger: levels', () => {
  const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const
  for (const level of levels) {
    const lines = logged((logger) => levels.forEach((each) => logger[each]('x')), { level }).split('\n')
    assert.equal(lines.length - 1, levels.indexOf(level) + 1)
  }
})

test('logger: values that JSON does not hold', () => {
  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  const line = fields((logger) =>
    logger
      .child({ bound: 2n })
      .info({ lsn: 2n ** 63n, nested: { list: [1n] }, buffer: Buffer.alloc(3), cycle, not: NaN }, 'x'),
  )
  assert.equal(line.lsn, '9223372036854775808')
  assert.deepEqual(line.nested, { list: ['1'] })
  assert.equal(line.buffer, '<3 bytes>')
})

test('logger: a Failure is told by message, kind, hint and causes; the stack only where the program is wrong', () => {
  const cause = new Error('connect ECONNREFUSED', { cause: new AggregateError([new Error('inner')], '') })
  const failure = new Failure('link', 'lost the server', { hint: 'wait', cause })
  const { err, msg } = fields((logger) => logger.error(failure))
  assert.equal(msg, 'lost the server')
  assert.deepEqual(err, {
    kind: 'link',
    message: 'lost the server',
    hint: 'wait',
    causes: ['connect ECONNREFUSED', 'AggregateError', 'inner'],
  })
  const bug = fields((logger) => logger.fatal({ err: asFailure(new TypeError('no such thing')) }, 'stopping')).err
  const { kind, message, causes, stack } = bug as Record<string, unknown>
  assert.deepEqual([kind, message, causes], ['unexpected', 'no such thing', undefined])
  assert.match(String(stack), /^TypeError: no such thing\n +at .*logger\.test/)
  const plain = fields((logger) => logger.error(new RangeError('x'))).err as Record<string, unknown>
  assert.deepEqual([plain.kind, plain.name], ['unexpected', 'RangeError'])
})

test('logger: pretty is one line, message first, with sizes and durations for people', () => {
  const line = logged(
    (logger) =>
      logger.info(
        { table: 'public.orders', bytes: 5_500_000, bufferedBytes: 512, elapsedMs: 1234, wait_ms: 150_000, why: 'a b' },
        'batch committed',
      ),
    { format: 'pretty' },
  )
  assert.match(
    line,
    /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: batch committed table=public\.orders bytes=5\.2MiB buffered=512B elapsed=1\.2s wait=2m30s why="a b"\n$/,
  )
})

test('logger: pretty tells a failure with its hint, and colours only a terminal', () => {
  const log = (logger: Logger): void => logger.error(new Failure('unsafe', 'slot is ahead', { hint: 'run repair' }))
  assert.match(logged(log, { format: 'pretty' }), /ERROR: slot is ahead kind=unsafe hint="run repair"\n$/)
  const escape = String.fromCharCode(27)
  assert.ok(!logged(log, { format: 'pretty' }).includes(escape))
  assert.ok(logged(log, { format: 'pretty', stream: { write: () => true, isTTY: true } }).includes(escape))
})

test('logger: a planted secret is in no line, whatever it looks like and wherever it stands', () => {
  const secret = fc.string({ unit: anyCharacter, minLength: 8, maxLength: 30 })
  const format = fc.constantFrom('json' as const, 'pretty' as const)
  fc.assert(
    fc.property(secret, format, (text, form) => {
      const wellFormed = Buffer.from(text).toString()
      const output = logged(
        (logger) => {
          logger.info(`x ${text} y`)
          logger.info({ a: text, b: { c: [text] }, d: JSON.stringify({ text }), e: encodeURIComponent(wellFormed) })
          logger.child({ bound: text }).warn(new Failure('link', text, { hint: text, cause: new Error(text) }))
          logger.error(new Error(text))
        },
        { format: form, secrets: [text] },
      )
      const forms = [text, JSON.stringify(text).slice(1, -1), encodeURIComponent(wellFormed)]
      for (const spelled of forms) assert.ok(!output.includes(spelled), output)
      if (form === 'json') for (const line of output.trimEnd().split('\n')) JSON.parse(line)
    }),
  )
})

test('logger: masking keeps JSON whole when the secret looks like a part of it', () => {
  for (const secret of ['"', ':', '{', '12', 'n', '\\', 'level', '***']) {
    const line = fields((logger) => logger.info({ count: 123, text: 'line\n"quoted" \\ level' }, 'msg'), {
      secrets: [secret],
    })
    assert.equal(line.level, 'info')
  }
})

test('logger: passwords of connection strings go without being told', () => {
  const line = logged((logger) => logger.error({ url: 'postgres://u:hidden@h/d' }, "host=h password='hid den'"))
  assert.doesNotMatch(line, /hid/)
})
