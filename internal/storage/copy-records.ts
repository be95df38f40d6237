// What was copied of which tables, as JSON in plans, commits and checkpoints, and back.
import type { CopiedPiece, CopiedTable, CopyProgress } from '../model/batch-record.js'
import { formatLsn } from '../model/lsn.js'
import type { Json, RecordReader } from './record-reader.js'

export function progressFields({ pieces, finished }: CopyProgress): Json {
  return { pieces: pieces.map(pieceFields), finished: finished.map(copiedTableFields) }
}

export function progressOf(reader: RecordReader): CopyProgress {
  return { pieces: reader.list('pieces').map(pieceOf), finished: reader.list('finished').map(copiedTableOf) }
}

export function copiedTableFields({ schema, table, relationOid, lsn }: CopiedTable): Json {
  return { schema, table, relation_oid: relationOid, lsn: formatLsn(lsn) }
}

export function copiedTableOf(reader: RecordReader): CopiedTable {
  return {
    schema: reader.text('schema'),
    table: reader.text('table'),
    relationOid: reader.count('relation_oid'),
    lsn: reader.lsn('lsn'),
  }
}

export function pieceFields(piece: CopiedPiece): Json {
  return {
    ...copiedTableFields(piece),
    schema_version: piece.schemaVersion,
    source_oid: piece.sourceOid,
    file_node: piece.fileNode,
    attributes: piece.attributes,
    xmin: String(piece.xmin),
    from_page: piece.fromPage,
    to_page: piece.toPage,
  }
}

export function pieceOf(reader: RecordReader): CopiedPiece {
  return {
    ...copiedTableOf(reader),
    schemaVersion: reader.count('schema_version'),
    sourceOid: reader.count('source_oid'),
    fileNode: reader.count('file_node'),
    attributes: reader.count('attributes'),
    xmin: reader.unsigned('xmin'),
    fromPage: reader.count('from_page'),
    toPage: reader.count('to_page'),
  }
}
