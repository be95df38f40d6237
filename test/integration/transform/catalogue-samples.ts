// Types that the lake keeps in PostgreSQL's text form because no binary form of theirs is read: full-text search, names of the
// catalogue's objects, composites, nearly all types of extensions. And types of which no value can be made.
import type { TypeSamples } from './type-samples.js'

const printed: Readonly<Record<string, readonly string[]>> = {
  tsvector: ["'a':1 'b':2A", '', `'it''s':3,4B "q" \\\\ é😀`],
  tsquery: ["'a' & !'b' | 'c':*AB", "'a' <2> 'b'", ''],
  jsonpath: ['$."a"[*]', 'strict $.a ? (@ > 1)'],
  regcollation: ['"C"', 'pg_catalog."default"'],
  regconfig: ['simple', 'english'],
  regdictionary: ['simple'],
  regnamespace: ['pg_catalog', 'public'],
  regoper: ['|/'],
  regoperator: ['+(integer,integer)', '-(NONE,integer)'],
  regproc: ['now', 'boolin'],
  regprocedure: ['abs(integer)', 'now()'],
  regrole: ['pg_monitor', 'pg_read_all_data'],
  regtype: ['integer', 'timestamp with time zone', 'mood', '"Öffnung"[]'],
  aclitem: ['=r/pg_monitor', 'pg_monitor=a*w/pg_read_all_data'],
  refcursor: ['', 'c', `it's "c"`],
  pg_snapshot: ['10:20:10,14,15', '1:1:'],
  txid_snapshot: ['10:20:10,14,15', '1:1:'],
  hstore: ['"a"=>"1", "b"=>NULL', '', '"\\"q\\\\"=>"é, =>"'],
  ltree: ['a.b.c', '', 'x_1.Y'],
  lquery: ['a.*{1,2}.!b', '*.x@*'],
  ltxtquery: ['a & !b*', 'x | (y@ & z)'],
  cube: ['(1, 2),(3, 4)', '0', '()', '(1e-300, -Infinity, 0.1)'],
  seg: ['1.50 .. 2', '~3', '5(+-)0.5', '<1e3'],
  query_int: ['1&(2|!3)', '7'],
  ean13: ['978-0-393-04002-9', '4006381333931'],
  isbn: ['0-393-04002-X'],
  isbn13: ['978-0-393-04002-9'],
  ismn: ['M-2306-7118-7'],
  ismn13: ['979-0-2306-7118-7'],
  issn: ['1436-4522'],
  issn13: ['977-1436-452-008'],
  upc: ['220356483481'],
  pair: ['(1,"a b")', '(,)', '(7,"q""\\\\,()é")'],
  all_sorts: ['(t,NaN,infinity,"\\\\x00ff","{1,NULL}","{""(1,\\\\""a,b\\\\"")""}","[1,3)",,24:00:00)', '(,,,,,,,,)'],
}

/** What only the server itself makes. */
const made: Readonly<Record<string, string>> = {
  pg_node_tree: 'SELECT ev_action FROM pg_rewrite ORDER BY oid LIMIT 5',
  pg_ndistinct: 'SELECT stxdndistinct FROM pg_statistic_ext_data',
  pg_dependencies: 'SELECT stxddependencies FROM pg_statistic_ext_data',
  pg_mcv_list: 'SELECT stxdmcv FROM pg_statistic_ext_data',
  earth: 'SELECT ll_to_earth(n * 10, n * 20) FROM generate_series(-9, 9) AS n',
}

const NO_OBJECT = 'SELECT 4294967295::oid::regclass'

/** Of these there is nothing but NULL: they only stand in indexes. */
const valueless = [
  ...['gtsvector', 'ghstore', 'gtrgm', 'ltree_gist', 'intbig_gkey'],
  ...['gbtreekey2', 'gbtreekey4', 'gbtreekey8', 'gbtreekey16', 'gbtreekey32', 'gbtreekey_var'],
  ...['pg_brin_bloom_summary', 'pg_brin_minmax_multi_summary'],
]
/** The server that they came with; all others are older than every one that is tested. */
const since: Readonly<Record<string, number>> = {
  gbtreekey2: 15,
  pg_brin_bloom_summary: 14,
  pg_brin_minmax_multi_summary: 14,
}

export const catalogueSamples: readonly TypeSamples[] = [
  ...Object.entries(printed).map(([type, values]): TypeSamples => ({ type, values, textOnly: true })),
  ...Object.entries(made).map(([type, query]): TypeSamples => ({ type, values: [], query, textOnly: true })),
  { type: 'regclass', values: ['pg_class', 'marks', '"Odd ""table"""'], query: NO_OBJECT, textOnly: true },
  ...valueless.map((type): TypeSamples => ({ type, values: [], textOnly: true, since: since[type] ?? 0 })),
  { type: 'lo', values: ['0', '4294967295'] },
  { type: 'information_schema.cardinal_number', values: ['0', '2147483647'] },
  { type: 'information_schema.character_data', values: ['', 'ä'] },
  { type: 'information_schema.sql_identifier', values: ['', 'a "b"'] },
  {
    type: 'information_schema.time_stamp',
    values: ['2024-02-29 12:34:56.78+01', 'infinity'],
    refused: 'NOT isfinite(v)',
  },
  { type: 'information_schema.yes_or_no', values: ['YES', 'NO'] },
]
