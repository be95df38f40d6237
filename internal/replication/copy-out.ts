// COPY … TO STDOUT on an ordinary connection: the payloads as ranges of one receive buffer, read only as fast as they are taken.
// Afterwards the connection is the driver's again.
import pg from 'pg'
import type { Failure } from '../model/failure.js'
import { queryFailure } from './connection.js'
import {
  COMMAND_COMPLETE,
  COPY_DATA,
  COPY_DONE,
  COPY_OUT,
  ERROR,
  errorFields,
  MessageSocket,
  NOTICE,
  PARAMETER_STATUS,
  query,
  READY,
  type PayloadHandler,
} from './message-socket.js'

/**
 * Runs the statement and hands each CopyData payload on; the server sends one for each row. Resolves when all has come. Rejects with
 * a pg.DatabaseError for what the server refuses, after which the connection can be used again, else with a Failure, after which
 * it cannot.
 */
export function copyOut(client: pg.Client, statement: string, handle: PayloadHandler): Promise<void> {
  return new Promise((resolve, reject) => {
    let refusal: pg.DatabaseError | undefined
    const link = new MessageSocket(client, 'the connection of a copy', query(statement), {
      message: (kind, buffer, start, end) => {
        switch (kind) {
          case COPY_DATA:
            return handle(buffer, start, end)
          case ERROR:
            refusal = databaseError(buffer, start, end)
            return undefined
          case READY:
            link.giveBack()
            if (refusal === undefined) resolve()
            else reject(refusal)
            return undefined
          case COPY_OUT:
          case COPY_DONE:
          case COMMAND_COMPLETE:
          case NOTICE:
          case PARAMETER_STATUS:
            return undefined
          default:
            throw link.badMessage(kind, start - 5, 'no message of a copy')
        }
      },
      failed: (failure: Failure) => {
        // The driver has not seen it, and would wait for an answer to whatever it is asked next.
        void client.end().catch(() => undefined)
        // A server that ends the connection says why first.
        reject(refusal === undefined ? failure : queryFailure(refusal))
      },
    })
  })
}

function databaseError(buffer: Buffer, start: number, end: number): pg.DatabaseError {
  const fields = errorFields(buffer, start, end)
  const error = new pg.DatabaseError(fields.get('M') ?? 'no message', end - start, 'error')
  error.code = fields.get('C')
  return error
}
