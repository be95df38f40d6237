// What an engine adds to the queries: how a table's files become its log, and how views are made and named.
import { Failure } from '../../model/failure.js'
import type { LakeTable } from './lake-tables.js'
import type { NamingRule, ViewNames } from './view-names.js'

/** Where the lake lies. */
export interface LakePlace {
  /** `s3://bucket/namespace`, or the absolute path of the folder. */
  readonly root: string
  /** The same over HTTP; absent for a folder. */
  readonly url: string | undefined
  readonly slot: string
}

export interface NamedTable extends LakeTable {
  readonly names: ViewNames
}

export interface Engine {
  readonly naming: NamingRule
  /** The engine has a view whose time is given when it is asked; others get a view of one time. */
  readonly asksForTime: boolean
  /** Before all tables; `schemas`: those of the views. */
  readonly first: (place: LakePlace, schemas: readonly string[]) => string[]
  /** Statements without a semicolon. `asOf`: only what was committed then or before, `YYYY-MM-DD HH:MM:SS.ffffff` in UTC. */
  readonly views: (table: NamedTable, place: LakePlace, asOf: string | undefined) => string[]
  /** What the reader should know, lines of a comment. */
  readonly notes: readonly string[]
}

/** Throws Failure `config` where the lake is in a folder. */
export function inBucket(place: LakePlace, engine: string): LakePlace {
  if (place.url === undefined)
    throw new Failure('config', `${engine} reads buckets, and this lake is in the folder ${place.root}`, {
      hint: 'Set S3_BUCKET_NAME instead of LAKE_DIR, or name another engine.',
    })
  return place
}
