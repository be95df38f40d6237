// What a pooler says that does not take our settings, and what is made of it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { connect } from '../../../internal/replication/connection.js'

function errorResponse(text: string): Buffer {
  const fields = Buffer.from(`SFATAL\0C08P01\0M${text}\0\0`, 'utf8')
  const head = Buffer.alloc(5)
  head.write('E')
  head.writeInt32BE(fields.length + 4, 1)
  return Buffer.concat([head, fields])
}

for (const parameter of ['options', 'replication'])
  test(`a pooler that refuses the parameter ${parameter} is called one, with the way out`, async (t) => {
    const server = createServer((socket) => {
      socket.once('data', () => socket.end(errorResponse(`unsupported startup parameter: ${parameter}`)))
    }).listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const target = {
      ...{ host: '127.0.0.1', port, user: 'cake', password: 'secret', database: 'shop' },
      variable: 'PG_CONN_STRING' as const,
      describe: () => `cake@127.0.0.1:${port}/shop`,
      tls: { use: 'off' as const, options: {} },
    }
    await assert.rejects(connect(target, 'control'), {
      kind: 'config',
      message: /^at cake@127\.0\.0\.1:\d+\/shop is a pooler/,
      hint: 'Name the server in PG_CONN_STRING: replication does not go through a pooler.',
    })
  })
