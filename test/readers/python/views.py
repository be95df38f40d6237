"""Statements of SQL, in order, by one engine: `views.py clickhouse`, `duckdb` or `spark`. A request's `snippet` is a statement."""

import sys
import tempfile

from answers import answer


def clickhouse():
    import json

    from chdb.session import Session

    session = Session(tempfile.mkdtemp())

    def rows(sql):
        result = session.query(sql, "JSONCompactEachRow")
        return [json.loads(line) for line in str(result).splitlines()]

    return rows, {}


def duckdb():
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")

    def rows(sql):
        return [list(row) for row in connection.execute(sql).fetchall()]

    return rows, {}


def spark():
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "1")
    session = builder.config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1").getOrCreate()
    return lambda sql: [list(row) for row in session.sql(sql).collect()], {"spark": session}


rows, given = {"clickhouse": clickhouse, "duckdb": duckdb, "spark": spark}[sys.argv[1]]()


def read(request):
    if request["table"] != "python":
        # What a value is does not matter here but for texts, which are compared.
        return [[None if value is None else str(value) for value in row] for row in rows(request["snippet"])]
    variables = dict(given)
    exec(request["snippet"], variables)
    return [[str(len(variables["orders"]))]] if "orders" in variables else []


answer(read)
