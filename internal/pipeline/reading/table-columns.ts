// Where a column of today lies in a file of an earlier version of its table.
import type { SchemaVersion } from '../../storage/schema-registry.js'

/**
 * Name in the files of version `number` of the table's column `name` as the newest version has it; undefined where it had none. A column
 * that was probably renamed is looked for under its old name.
 */
export function lakeNameIn(versions: readonly SchemaVersion[], number: number, name: string): string | undefined {
  const at = versions.findIndex((version) => version.number === number)
  let known = name
  for (let k = versions.length - 1; k > at; k--) {
    const { columns } = versions[k]!.schema
    const column = columns.find((column) => column.name === known)
    // One of its name before was another one.
    if (column === undefined) return undefined
    known = column.likelyRenamedFrom ?? known
  }
  return versions[at]?.schema.columns.find((column) => column.name === known)?.lakeName
}
