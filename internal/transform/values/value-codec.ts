// Which Parquet type each PostgreSQL type is kept in, and the way its values get there (docs/types.md). A type that is
// not listed is kept in its text form; none is refused.
import type { LeafType } from '../../model/lake-column.js'
import { baseType, type PgType } from '../../model/pg-type.js'
import { ListColumn, ScalarColumn, type ColumnBuffer } from '../parquet/column-buffers.js'
import type { Intake } from '../parquet/leaf-values.js'
import { arrayText, listFromBinary, listFromText, type ArrayShape } from './arrays.js'
import { decimalCodec, numericShape } from './decimals.js'
import { float4Codec, float8Codec } from './floats.js'
import * as geometry from './geometry-text.js'
import { boolCodec, int2Codec, int4Codec, int8Codec, unsigned32Codec, xid8Codec } from './integers.js'
import { cidrText, inetText, macaddr8Text, macaddrText } from './network-text.js'
import { numericTextCodec } from './numeric-text.js'
import { bitText, lsnText, moneyText, tidText, vectorText } from './packed-text.js'
import { multirangeText, rangeText } from './range-text.js'
import type { Put, ScalarCodec, TextOf, WriteText } from './scalar-codec.js'
import { intervalText, timeText, timetzText } from './times.js'
import { dateCodec, timestampCodec, timestamptzCodec } from './timestamps.js'
import * as verbatim from './verbatim-text.js'

export type { Put, TextOf } from './scalar-codec.js'

export interface ValueCodec {
  /** How the lake stores it. */
  readonly type: LeafType
  readonly list: boolean
  /** A fresh column buffer and the puts bound to it; putBinary is undefined where the type is only known in text. */
  bind(intake: Intake): { buffer: ColumnBuffer; putText: Put; putBinary: Put | undefined }
  /** PostgreSQL's text form of a binary value (for `_raw` and `_before`); defined iff the binary form is known. */
  readonly textOfBinary: TextOf | undefined
  /** The same, piece by piece, for values that may be too large for a string; absent where they are small. */
  readonly writeTextOfBinary?: WriteText
  /** What stands in `_raw` and `_before` of a value that was sent as text; absent where it is that text. */
  readonly writeTextOfText?: WriteText
}

type ArrayType = PgType & Required<Pick<PgType, 'element'>>

/** How text is kept: `bytes` for databases in SQL_ASCII, whose text may be no valid UTF-8. */
export type TextColumns = 'string' | 'bytes'

/** `encoding`: the database's, as PostgreSQL names it. */
export function textColumnsOf(encoding: string): TextColumns {
  return encoding === 'SQL_ASCII' ? 'bytes' : 'string'
}

/** Shared by all columns of a type: thousands of tables may be known. */
const known = new WeakMap<PgType, Map<string, ValueCodec>>()

/** The codec of a column of this type and type modifier (-1: none). */
export function codecOf(type: PgType, typmod: number, textColumns: TextColumns): ValueCodec {
  const ofType = known.get(type) ?? new Map<string, ValueCodec>()
  known.set(type, ofType)
  const key = `${textColumns} ${typmod}`
  const codec = ofType.get(key) ?? makeCodec(type, typmod, textColumns)
  ofType.set(key, codec)
  return codec
}

function makeCodec(type: PgType, typmod: number, textColumns: TextColumns): ValueCodec {
  const base = baseType(type, typmod)
  if (isList(base.type)) return listCodec(base.type, base.typmod, textColumns)
  const scalar = scalarCodec(base.type, base.typmod, textColumns)
  return {
    type: scalar.type,
    list: false,
    bind(intake) {
      const { leaf, putText, putBinary } = scalar.bind(intake)
      return { buffer: new ScalarColumn(leaf), putText, putBinary }
    },
    textOfBinary: scalar.textOfBinary,
    ...(scalar.writeTextOfBinary === undefined ? {} : { writeTextOfBinary: scalar.writeTextOfBinary }),
    ...(scalar.writeTextOfText === undefined ? {} : { writeTextOfText: scalar.writeTextOfText }),
  }
}

/** int2vector and oidvector pass for arrays in the catalogue, but are printed another way. */
function isList(type: PgType): type is ArrayType {
  return type.kind === 'array' && type.element !== undefined && !isBuiltIn(type)
}

function listCodec(type: ArrayType, typmod: number, textColumns: TextColumns): ValueCodec {
  const shape = shapeOf(type)
  // An array's modifier is its elements'.
  const element = scalarCodec(type.element.type, typmod, textColumns)
  return {
    type: element.type,
    list: true,
    bind(intake) {
      const { leaf, putText, putBinary } = element.bind(intake)
      const buffer = new ListColumn(leaf)
      return {
        buffer,
        putText: listFromText(shape, buffer, putText),
        putBinary: putBinary && listFromBinary(shape, buffer, putBinary),
      }
    },
    textOfBinary: element.textOfBinary && arrayText(shape, element.textOfBinary),
  }
}

function shapeOf(array: ArrayType): ArrayShape {
  const { type, delimiter } = array.element
  return { typeName: array.name, elementOid: type.oid, delimiter: delimiter.charCodeAt(0) }
}

const { verbatimCodec, textOnlyCodec, renderedCodec, jsonbCodec, stringType, bytesType } = verbatim

/** Types of pg_catalog that hold no text of the database's. */
const builtIn = new Map<string, ScalarCodec>([
  ['bool', boolCodec],
  ['int2', int2Codec],
  ['int4', int4Codec],
  ['int8', int8Codec],
  ['oid', unsigned32Codec('oid')],
  ['xid', unsigned32Codec('xid')],
  ['cid', unsigned32Codec('cid')],
  ['xid8', xid8Codec],
  ['float4', float4Codec],
  ['float8', float8Codec],
  ['money', renderedCodec(moneyText)],
  ['char', verbatim.charCodec],
  ['bytea', verbatim.byteaCodec],
  ['date', dateCodec],
  ['time', renderedCodec(timeText)],
  ['timetz', renderedCodec(timetzText)],
  ['timestamp', timestampCodec],
  ['timestamptz', timestamptzCodec],
  ['interval', renderedCodec(intervalText)],
  ['uuid', verbatim.uuidCodec],
  ['inet', renderedCodec(inetText)],
  ['cidr', renderedCodec(cidrText)],
  ['macaddr', renderedCodec(macaddrText)],
  ['macaddr8', renderedCodec(macaddr8Text)],
  ['bit', renderedCodec(bitText('bit'))],
  ['varbit', renderedCodec(bitText('varbit'))],
  ['pg_lsn', renderedCodec(lsnText)],
  ['tid', renderedCodec(tidText)],
  ['point', renderedCodec(geometry.pointText)],
  ['lseg', renderedCodec(geometry.lsegText)],
  ['box', renderedCodec(geometry.boxText)],
  ['path', renderedCodec(geometry.pathText)],
  ['polygon', renderedCodec(geometry.polygonText)],
  ['line', renderedCodec(geometry.lineText)],
  ['circle', renderedCodec(geometry.circleText)],
  ['int2vector', renderedCodec(vectorText('int2vector', 2))],
  ['oidvector', renderedCodec(vectorText('oidvector', 4))],
])

function isBuiltIn(type: PgType): boolean {
  return type.schema === 'pg_catalog' && builtIn.has(type.name)
}

/** Types of pg_catalog whose binary form is their text. */
const verbatimNames = new Set(['text', 'varchar', 'bpchar', 'name', 'json', 'xml'])

function scalarCodec(type: PgType, typmod: number, textColumns: TextColumns): ScalarCodec {
  const base = baseType(type, typmod)
  const { schema, name, kind } = base.type
  const textType = textColumns === 'bytes' ? bytesType : stringType
  if (schema === 'pg_catalog') {
    const codec = builtIn.get(name)
    if (codec !== undefined) return codec
    if (name === 'numeric') return numericCodec(base.typmod)
    if (name === 'jsonb') return jsonbCodec(textType)
    if (verbatimNames.has(name)) return verbatimCodec(textType)
  }
  if (kind === 'enum' || (kind === 'base' && name === 'citext')) return verbatimCodec(textType)
  const rendered = nestedText(base.type, base.typmod, textColumns)
  return rendered === undefined ? textOnlyCodec(textType) : renderedCodec(rendered)
}

function numericCodec(typmod: number): ScalarCodec {
  const shape = numericShape(typmod)
  return (shape && decimalCodec(shape.precision, shape.scale)) ?? numericTextCodec
}

/**
 * The text form of ranges, multiranges and arrays inside of arrays (by a domain), from what they are made of. Undefined
 * where that may hold bytes that are no UTF-8, which would not survive being text on the way.
 */
function nestedText(type: PgType, typmod: number, textColumns: TextColumns): TextOf | undefined {
  const part = isList(type) ? type.element.type : type.subtype
  if (part === undefined) return undefined
  const codec = scalarCodec(part, typmod, textColumns)
  if (codec.textOfBinary === undefined || (textColumns === 'bytes' && holdsBytes(codec))) return undefined
  if (isList(type)) return arrayText(shapeOf(type), codec.textOfBinary)
  if (type.kind === 'range') return rangeText(type.name, codec.textOfBinary)
  return type.kind === 'multirange' ? multirangeText(type.name, codec.textOfBinary) : undefined
}

function holdsBytes(codec: ScalarCodec): boolean {
  return codec.type.physical === 'BYTE_ARRAY' && codec.type.logical === 'bytes'
}
