// The files that the log lists, table by table.
import type { DataFile } from '../../model/batch-record.js'

/** A key of the groups. */
export function tableKey({ schema, table }: { readonly schema: string; readonly table: string }): string {
  return JSON.stringify([schema, table])
}

/** Each group in the order of `files`. */
export function filesByTable(files: readonly DataFile[]): Map<string, DataFile[]> {
  const groups = new Map<string, DataFile[]>()
  for (const file of files) {
    const group = groups.get(tableKey(file))
    if (group === undefined) groups.set(tableKey(file), [file])
    else group.push(file)
  }
  return groups
}
