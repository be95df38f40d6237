"""Statements of SQL, in order, by one engine: `views.py clickhouse` or `views.py spark`. A request's `snippet` is a statement."""

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

    return rows


def spark():
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "1")
    session = builder.config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1").getOrCreate()
    return lambda sql: [list(row) for row in session.sql(sql).collect()]


rows = {"clickhouse": clickhouse, "spark": spark}[sys.argv[1]]()
answer(lambda request: rows(request["snippet"]))
