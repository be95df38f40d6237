"""ClickHouse in this process."""

import chdb
import pyarrow as pa

from answers import answer
from arrow_cells import rows


def quoted(column):
    return '"' + column.replace("\\", "\\\\").replace('"', '\\"') + '"'


def told(type, text, instant):
    """ClickHouse has one type for texts and bytes, and one for times with a zone and without."""
    if pa.types.is_list(type):
        return pa.list_(told(type.value_type, text, instant))
    if pa.types.is_binary(type) and text:
        return pa.string()
    return pa.timestamp(type.unit) if pa.types.is_timestamp(type) and not instant else type


def printed(values, instant):
    """Times as ClickHouse prints them, which are not always those that it has."""
    zone = "+00" if instant else ""
    return pa.array([text and text.rstrip("0").rstrip(".") + zone for text in values.to_pylist()])


def read(request):
    columns = request["columns"]
    snippet = request["snippet"].strip().rstrip(";")

    def query(selected):
        sql = f"SELECT {', '.join(selected)} FROM ({snippet}) ORDER BY _lsn, _seq"
        return chdb.query(f"{sql} SETTINGS output_format_arrow_string_as_string = 0", "ArrowTable")

    found = query(map(quoted, columns))
    for place, column in enumerate(columns):
        instant = column in request["instants"]
        type = told(found[column].type, column not in request["bytes"], instant)
        values = found[column].cast(type)
        if pa.types.is_timestamp(type):
            values = printed(query([f"toString({quoted(column)}) AS text"])["text"].cast(pa.string()), instant)
        found = found.set_column(place, column, values)
    return rows(found, columns)


answer(read)
