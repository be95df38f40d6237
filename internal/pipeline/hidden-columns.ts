// What EXCLUDE_COLUMNS and HASH_COLUMNS mean for the tables that there are: which columns of a relation are hidden, and what a start
// refuses, by what the catalogue says of the tables that are or will be published.
import type pg from 'pg'
import type { ColumnFilter, ColumnName, ColumnVariable } from '../config/column-filter.js'
import type { ColumnSettings } from '../model/batch-record.js'
import { Failure } from '../model/failure.js'
import type { Relation } from '../model/relation.js'
import { publishedColumns } from '../replication/published-columns.js'
import type { HiddenColumns } from '../transform/table-layout.js'
import type { ValueHash } from '../transform/values/value-hash.js'
import type { SessionSettings } from './session.js'

export interface HidingSettings {
  readonly columns: ColumnFilter
  /** Present where columns are hashed. */
  readonly hash?: ValueHash
}

/** For the records of the log; undefined where nothing is hidden. */
export function columnSettings({ columns, hash }: HidingSettings): ColumnSettings | undefined {
  if (columns.isEmpty) return undefined
  const { excludeColumns, hashColumns } = columns
  return { excludeColumns, hashColumns, saltFingerprint: hash?.fingerprint ?? '' }
}

/** Undefined where all columns are taken in clear. Throws Failure `unsafe` where a column of the key is to be left out. */
export function hiddenColumnsOf({ columns, hash }: HidingSettings, relation: Relation): HiddenColumns | undefined {
  if (columns.isEmpty) return undefined
  const { schema, name: table, replicaIdentity } = relation
  const rules = relation.columns.map(({ name }) => columns.ruleOf({ schema, table, column: name }))
  if (rules.every((rule) => rule === 'clear')) return undefined
  // Under FULL every column counts as one of the key.
  const key = relation.columns.find(({ isKey }, k) => isKey && rules[k] === 'excluded' && replicaIdentity !== 'f')
  if (key !== undefined) throw excludedKey('unsafe', [{ schema, table, column: key.name }])
  return { rules, hash }
}

/** The relation without the columns that are left out, as a copy reads it. */
export function withoutExcluded(settings: HidingSettings, relation: Relation): Relation {
  const { rules } = hiddenColumnsOf(settings, relation) ?? {}
  if (rules === undefined) return relation
  return { ...relation, columns: relation.columns.filter((_, k) => rules[k] !== 'excluded') }
}

export interface ColumnFindings {
  /** Of the key of their table, and to be left out. */
  readonly excludedKeys: readonly ColumnName[]
  readonly inBoth: readonly ColumnName[]
  /** Items that match no column of a published table. */
  readonly withoutColumn: readonly { readonly variable: ColumnVariable; readonly item: string }[]
}

/** What the settings meet in the tables that the publication has, or would have if it was made now. */
export async function findColumns(
  control: pg.Client,
  { publication, tables, columns }: Pick<SessionSettings, 'publication' | 'tables' | 'columns'>,
  serverVersion: number,
): Promise<ColumnFindings> {
  if (columns.isEmpty) return { excludedKeys: [], inBoth: [], withoutColumn: [] }
  const all = await publishedColumns(control, publication, serverVersion)
  const taken = all.filter(({ schema, table }) => tables.matches(schema, table))
  return {
    excludedKeys: taken.filter((column) => column.key && columns.ruleOf(column) === 'excluded'),
    inBoth: taken.filter((column) => columns.isInBoth(column)),
    withoutColumn: columns.itemsWithout(taken),
  }
}

/** Throws Failure `config` where the findings forbid a start. */
export function checkFindings({ excludedKeys, inBoth }: ColumnFindings): void {
  if (excludedKeys.length > 0) throw excludedKey('config', excludedKeys)
  if (inBoth.length > 0)
    throw new Failure('config', `EXCLUDE_COLUMNS and HASH_COLUMNS both have ${textOf(inBoth)}`, {
      hint: 'Take each column out of one of the two.',
    })
}

function excludedKey(kind: 'config' | 'unsafe', columns: readonly ColumnName[]): Failure {
  return new Failure(
    kind,
    `EXCLUDE_COLUMNS leaves out ${textOf(columns)}, of the key by which the rows of the table are told apart`,
    { hint: 'Hash it instead: HASH_COLUMNS keeps keys distinct.' },
  )
}

const SHOWN = 10

function textOf(columns: readonly ColumnName[]): string {
  const shown = columns.slice(0, SHOWN).map(({ schema, table, column }) => `${schema}.${table}.${column}`)
  return shown.join(', ') + (columns.length > SHOWN ? ` and ${columns.length - SHOWN} more` : '')
}
