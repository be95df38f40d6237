"""The readers that give what they have read as an Arrow table: `arrow_readers.py NAME`."""

import sys

import pyarrow as pa

from answers import Snippets, answer
from arrow_cells import rows


def duckdb_columns(table, columns):
    return table.select(*['"' + column.replace('"', '""') + '"' for column in columns]).to_arrow_table()


def pandas_columns(table, columns):
    return pa.Table.from_pandas(table[columns], preserve_index=False)


# The columns of the snippet's table, as Arrow's.
COLUMNS_OF = {
    "duckdb": duckdb_columns,
    "pyarrow": lambda table, columns: table.select(columns),
    "polars": lambda table, columns: table.select(columns).to_arrow(),
    "datafusion": lambda table, columns: table.select(*['"' + column.replace('"', '""') + '"' for column in columns]).to_arrow_table(),
    "pandas": pandas_columns,
}


def main(name):
    snippets = Snippets()

    def read(request):
        table = snippets.table(request["snippet"])
        columns = request["columns"]
        found = COLUMNS_OF[name](table, [*dict.fromkeys([*columns, "_lsn", "_seq"])])
        found = found.sort_by([("_lsn", "ascending"), ("_seq", "ascending")])
        return rows(found, columns)

    answer(read)


main(sys.argv[1])
