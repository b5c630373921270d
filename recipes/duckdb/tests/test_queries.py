"""DuckDB's engine: SQL, types, files, functions in Python."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        made.execute("SET threads = 2")
        yield made


def test_aggregates(connection: duckdb.DuckDBPyConnection) -> None:
    row = connection.execute(
        "SELECT count(*), sum(i), avg(i), median(i), stddev_pop(i) FROM range(101) t(i)"
    ).fetchone()
    assert row[:4] == (101, 5050, 50.0, 50.0)
    assert row[4] == pytest.approx((101**2 - 1) ** 0.5 / 12**0.5)


def test_windows_and_joins(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("CREATE TABLE sales (city VARCHAR, year INTEGER, value DOUBLE)")
    rows = [("Bern", 2021, 1.5), ("Oslo", 2021, 2.0), ("Bern", 2022, 3.5), ("Lima", 2022, None)]
    connection.executemany("INSERT INTO sales VALUES (?, ?, ?)", rows)
    found = connection.execute(
        "SELECT city, year, sum(value) OVER (PARTITION BY city ORDER BY year) FROM sales ORDER BY ALL"
    ).fetchall()
    assert found == [("Bern", 2021, 1.5), ("Bern", 2022, 5.0), ("Lima", 2022, None), ("Oslo", 2021, 2.0)]
    joined = "SELECT s.city FROM sales s ANTI JOIN (VALUES ('Bern'), ('Oslo')) c(name) ON s.city = c.name"
    assert connection.execute(joined).fetchall() == [("Lima",)]


def test_types(connection: duckdb.DuckDBPyConnection) -> None:
    row = connection.execute(
        "SELECT 0.1::DECIMAL(5, 2) + 0.2, DATE '2026-12-01', INTERVAL 90 MINUTE, [1, NULL, 3], {'a': 1, 'b': 'x'},"
        " MAP {'k': 2}, 170141183460469231731687303715884105727::HUGEINT, '\\xAA'::BLOB, TRUE, NULL"
    ).fetchone()
    assert row == (
        Decimal("0.30"), dt.date(2026, 12, 1), dt.timedelta(minutes=90), [1, None, 3], {"a": 1, "b": "x"},
        {"k": 2}, 2**127 - 1, b"\xaa", True, None,
    )  # fmt: skip


def test_time_zones_are_those_of_icu(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("SET TimeZone = 'Europe/Zurich'")
    asked = "SELECT strftime(TIMESTAMPTZ '2026-07-01 12:00:00+00', '%H:%M'), 'a' < 'Ä' COLLATE de"
    assert connection.execute(asked).fetchone() == ("14:00", True)


def test_regular_expressions_and_json(connection: duckdb.DuckDBPyConnection) -> None:
    row = connection.execute(
        "SELECT regexp_extract('abc 123', '(\\d+)', 1), json_extract('{\"a\": [1, 2]}', '$.a[1]')::INT, upper('straße')"
    ).fetchone()
    assert row[:2] == ("123", 2)


@pytest.mark.parametrize("kind", ["parquet", "csv", "json"])
def test_files(connection: duckdb.DuckDBPyConnection, tmp_path: Path, kind: str) -> None:
    path = str(tmp_path / f"numbers.{kind}")
    connection.sql("SELECT i, i % 7 AS k FROM range(10000) t(i)").create("numbers")
    connection.execute("COPY numbers TO $1", [path])
    read = {"parquet": connection.read_parquet, "csv": connection.read_csv, "json": connection.read_json}[kind]
    found = read(path).aggregate("k, count(*)").order("k").fetchall()
    assert found == [(k, 1429 if k < 4 else 1428) for k in range(7)]


def test_a_database_file(tmp_path: Path) -> None:
    path = tmp_path / "data.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("CREATE TABLE t AS SELECT i, repeat('x', 100) AS s FROM range(50000) t(i)")
        connection.execute("BEGIN").execute("DELETE FROM t").execute("ROLLBACK")
    with duckdb.connect(path, read_only=True) as connection:
        assert connection.execute("SELECT count(*), max(length(s)) FROM t").fetchone() == (50000, 100)


def test_numpy(connection: duckdb.DuckDBPyConnection) -> None:
    found = connection.execute("SELECT i::INTEGER AS i, i / 2 AS half FROM range(1000) t(i)").fetchnumpy()
    assert found["i"].dtype == np.int32
    assert np.array_equal(found["half"], np.arange(1000) / 2)
    connection.register("numbers", {"a": np.arange(5), "b": np.array(["x", "y", "x", "y", "x"])})
    assert connection.execute("SELECT b, sum(a) FROM numbers GROUP BY b ORDER BY b").fetchall() == [("x", 6), ("y", 4)]


def test_functions_in_python(connection: duckdb.DuckDBPyConnection) -> None:
    connection.create_function("turned", lambda text: text[::-1], ["VARCHAR"], "VARCHAR")
    assert connection.execute("SELECT turned('egrof')").fetchone() == ("forge",)


def test_relations(connection: duckdb.DuckDBPyConnection) -> None:
    relation = connection.sql("SELECT * FROM range(10) t(i)").filter("i % 2 = 0").aggregate("sum(i) AS s")
    assert relation.columns == ["s"]
    assert relation.fetchall() == [(20,)]


def test_errors(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.ParserException, match="syntax error"):
        connection.execute("SELEC 1")
    with pytest.raises(duckdb.CatalogException, match="absent"):
        connection.execute("SELECT * FROM absent")
    with pytest.raises(duckdb.ConversionException):
        connection.execute("SELECT 'x'::INTEGER")
