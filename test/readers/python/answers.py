"""Runs the page's snippets and prints what they read, in the one form of test/readers/reader.ts."""

import json
import sys
from decimal import Decimal


def answer(read):
    """Takes the requests from standard input, a line each; `read` gives the rows of one. Prints a line for each."""
    for line in sys.stdin:
        request = json.loads(line)
        try:
            result = {"rows": read(request)}
        # A panic in Rust is no Exception.
        except BaseException as error:
            result = {"refused": f"{type(error).__name__}: {error}"}
        print("answer " + json.dumps(result), flush=True)


class Snippets:
    """What each snippet leaves in its variable `table`; run once, with `given` as its other variables."""

    def __init__(self, **given):
        self._given = given
        self._tables = {}

    def table(self, snippet):
        if snippet not in self._tables:
            variables = dict(self._given)
            exec(snippet, variables)
            self._tables[snippet] = variables["table"]
        return self._tables[snippet]


def float_cell(value):
    """JSON has neither NaN nor infinities."""
    text = repr(value)
    return {"float": {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(text, text)}


def decimal_cell(value: Decimal):
    return format(value, "f")


def bytes_cell(value):
    return "\\x" + bytes(value).hex()


def date_cell(days):
    """Python's own dates, and times, do not go as far as the lake's."""
    return {"days": days}


def timestamp_cell(micros, zone=""):
    return {"micros": str(micros), "zone": zone}
