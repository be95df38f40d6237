"""What an Arrow table holds, as cells."""

import pyarrow as pa

from answers import bytes_cell, date_cell, decimal_cell, float_cell, timestamp_cell


def rows(table, columns):
    return [list(row) for row in zip(*[cells(table[column], table[column].type) for column in columns])]


def cells(values, type):
    """Of an array or a chunked one."""
    if pa.types.is_null(type):
        return [None] * len(values)
    if pa.types.is_list(type) or pa.types.is_large_list(type):
        return [None if list.values is None else cells(list.values, type.value_type) for list in values]
    if pa.types.is_date32(type):
        return each(values.cast(pa.int32()), date_cell)
    if pa.types.is_timestamp(type):
        assert type.unit == "us", type
        zone = "" if type.tz is None else "+00"
        return each(values.cast(pa.int64()), lambda micros: timestamp_cell(micros, zone))
    if pa.types.is_boolean(type):
        return each(values, lambda value: str(value).lower())
    if pa.types.is_integer(type):
        return each(values, str)
    if pa.types.is_floating(type):
        return each(values, float_cell)
    if pa.types.is_decimal(type):
        return each(values, decimal_cell)
    if pa.types.is_string(type) or pa.types.is_large_string(type) or pa.types.is_string_view(type):
        return each(values, str)
    if pa.types.is_binary(type) or pa.types.is_large_binary(type) or pa.types.is_binary_view(type):
        return each(values, bytes_cell)
    raise TypeError(f"no form for {type}")


def each(values, form):
    return [None if value is None else form(value) for value in values.to_pylist()]
