// A table, and pieces of it that were copied, as the log has them: for tests without a server.
import type { CopiedPiece, CopiedTable } from '../../internal/model/batch-record.js'

export const copiedTable: CopiedTable = { schema: 'public', table: 't', relationOid: 7, lsn: 99n }

export function copiedPiece(fromPage: number, toPage: number, changed: Partial<CopiedPiece> = {}): CopiedPiece {
  const source = { sourceOid: 7, fileNode: 70, attributes: 2 }
  return { ...copiedTable, schemaVersion: 1, ...source, xmin: 500n, fromPage, toPage, ...changed }
}
