"""The engine beneath polars: expressions, queries, files."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest
from polars.testing import assert_frame_equal

if TYPE_CHECKING:
    from pathlib import Path

FRAME = pl.DataFrame(
    {
        "city": ["Bern", "Oslo", "Bern", "Lima", None],
        "year": [2021, 2021, 2022, 2022, 2022],
        "value": [1.5, 2.0, 3.5, None, 4.0],
    }
)


def test_groups() -> None:
    made = FRAME.group_by("city", maintain_order=True).agg(pl.col("value").sum(), pl.len().alias("rows"))
    assert made.rows() == [("Bern", 5.0, 2), ("Oslo", 2.0, 1), ("Lima", 0.0, 1), (None, 4.0, 1)]


def test_a_lazy_query_is_optimised_and_streamed() -> None:
    query = FRAME.lazy().filter(pl.col("year") == 2022).select("city", twice=pl.col("value") * 2).sort("city")
    assert "SELECTION" in query.explain() or "FILTER" in query.explain()
    expected = pl.DataFrame({"city": [None, "Bern", "Lima"], "twice": [8.0, 7.0, None]})
    assert_frame_equal(query.collect(), expected)
    assert_frame_equal(query.collect(engine="streaming"), expected)


def test_joins() -> None:
    lands = pl.DataFrame({"city": ["Bern", "Oslo"], "land": ["CH", "NO"]})
    joined = FRAME.join(lands, on="city", how="left", maintain_order="left")
    assert joined["land"].to_list() == ["CH", "NO", "CH", None, None]
    assert FRAME.join(lands, on="city", how="anti")["city"].to_list() == ["Lima", None]
    times = pl.DataFrame({"at": [1, 5, 10], "price": [10, 50, 100]})
    asked = pl.DataFrame({"at": [4, 6, 11]})
    assert asked.join_asof(times, on="at")["price"].to_list() == [10, 50, 100]


def test_windows_and_pivots() -> None:
    ranked = FRAME.with_columns(rank=pl.col("value").rank("dense").over("year"))
    assert ranked["rank"].to_list() == [1, 2, 1, None, 2]
    wide = FRAME.drop_nulls().pivot("year", index="city", values="value", sort_columns=True)
    assert wide.rows() == [("Bern", 1.5, 3.5), ("Oslo", 2.0, None)]


def test_strings() -> None:
    words = pl.Series(["Straße 12", "no number", None])
    assert words.str.extract(r"(\d+)").cast(pl.Int64).to_list() == [12, None, None]
    assert words.str.to_uppercase().to_list() == ["STRASSE 12", "NO NUMBER", None]
    assert words.str.contains_any(["number", "12"]).to_list() == [True, True, None]
    assert pl.Series(['{"a": [1, 2]}']).str.json_path_match("$.a[1]").to_list() == ["2"]


def test_times_and_zones() -> None:
    days = pl.datetime_range(
        dt.datetime(2026, 3, 28), dt.datetime(2026, 3, 30), "1d", time_zone="Europe/Zurich", eager=True
    )
    assert days.dt.convert_time_zone("UTC").dt.hour().to_list() == [23, 23, 22]
    assert pl.Series(["2026-12-01"]).str.to_date().dt.strftime("%A").to_list() == ["Tuesday"]
    grouped = pl.DataFrame({"t": days, "n": [1, 2, 3]}).group_by_dynamic("t", every="2d").agg(pl.col("n").sum())
    assert grouped["n"].sum() == 6


def test_nested_and_exact_types() -> None:
    frame = pl.DataFrame({"a": [[1, 2], [], None], "b": [{"x": 1, "y": "p"}, {"x": 2, "y": None}, None]})
    assert frame["a"].list.sum().to_list() == [3, 0, None]
    assert frame.unnest("b")["y"].to_list() == ["p", None, None]
    money = pl.Series([Decimal("0.10"), Decimal("0.20")])
    assert money.sum() == Decimal("0.30")
    assert pl.Series(["a", "b", "a"], dtype=pl.Categorical).unique(maintain_order=True).to_list() == ["a", "b"]


def test_sql() -> None:
    with pl.SQLContext(frame=FRAME) as context:
        made = context.execute(
            "SELECT city, AVG(value) AS mean FROM frame WHERE city IS NOT NULL GROUP BY city ORDER BY city", eager=True
        )
    assert made.rows() == [("Bern", 2.5), ("Lima", None), ("Oslo", 2.0)]


@pytest.mark.parametrize("kind", ["parquet", "ipc", "csv", "ndjson", "avro"])
def test_files(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"frame.{kind}"
    getattr(FRAME, f"write_{kind}")(path)
    assert_frame_equal(getattr(pl, f"read_{kind}")(path), FRAME)
    if kind != "avro":
        scanned = getattr(pl, f"scan_{kind}")(path).select(pl.col("value").max()).collect()
        assert scanned.item() == 4.0


@pytest.mark.parametrize("compression", ["zstd", "lz4", "snappy", "gzip", "brotli"])
def test_compressed_parquet(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "frame.parquet"
    long = pl.DataFrame({"n": pl.int_range(10_000, eager=True) % 7})
    long.write_parquet(path, compression=compression)
    assert path.stat().st_size < 20_000
    assert pl.scan_parquet(path).filter(pl.col("n") == 3).select(pl.len()).collect().item() == 1429


def test_python_functions_are_called_back() -> None:
    found = FRAME["year"].map_elements(dt.date.max.replace, return_dtype=pl.Date)
    assert found.to_list()[0] == dt.date(2021, 12, 31)


def test_errors() -> None:
    with pytest.raises(pl.exceptions.ColumnNotFoundError, match="absent"):
        FRAME.select("absent")
    with pytest.raises(pl.exceptions.ComputeError):
        pl.read_csv(b"a,b\n1,x\n", schema={"a": pl.Int64, "b": pl.Int64})
