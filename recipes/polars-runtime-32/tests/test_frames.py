"""What polars computes in its compiled part, through the Python code of the same version."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest
from polars.testing import assert_frame_equal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def sales() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "shop": ["a", "b", "a", "c", "b", "a"],
            "day": [date(2024, 2, 27) + timedelta(days=n) for n in range(6)],
            "count": [3, 1, 4, 1, 5, 9],
            "price": [1.5, 2.0, 1.5, None, 2.5, 1.0],
        }
    )


def test_versions() -> None:
    from _polars_runtime_32 import _polars_runtime

    assert _polars_runtime.__version__ == pl.__version__


def test_frame(sales: pl.DataFrame) -> None:
    assert sales.shape == (6, 4)
    assert sales.schema == {"shop": pl.String, "day": pl.Date, "count": pl.Int64, "price": pl.Float64}
    assert sales["price"].null_count() == 1
    assert sales.filter(pl.col("count") > 3)["day"].to_list() == [date(2024, 2, 29), date(2024, 3, 2), date(2024, 3, 3)]
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        sales.select("nothing")


def test_group_by(sales: pl.DataFrame) -> None:
    found = sales.group_by("shop").agg(
        pl.col("count").sum().alias("total"),
        (pl.col("count") * pl.col("price")).sum().alias("paid"),
        pl.len().alias("n"),
    )
    assert sorted(found.rows()) == [("a", 16, 19.5, 3), ("b", 6, 14.5, 2), ("c", 1, 0.0, 1)]
    months = sales.group_by_dynamic("day", every="1mo").agg(pl.col("count").sum())
    assert months.rows() == [(date(2024, 2, 1), 8), (date(2024, 3, 1), 15)]


def test_joins(sales: pl.DataFrame) -> None:
    towns = pl.DataFrame({"shop": ["a", "b", "d"], "town": ["Ulm", "Kiel", "Bonn"]})
    left = sales.join(towns, on="shop", how="left")
    assert left.filter(pl.col("town").is_null())["shop"].to_list() == ["c"]
    assert sales.join(towns, on="shop", how="anti")["count"].to_list() == [1]
    full = sales.join(towns, on="shop", how="full", coalesce=True)
    assert sorted(full["shop"].unique().to_list()) == ["a", "b", "c", "d"]
    quotes = pl.DataFrame({"at": [1, 5, 9], "bid": [10, 11, 12]})
    trades = pl.DataFrame({"at": [0, 5, 8, 20]})
    assert trades.join_asof(quotes, on="at")["bid"].to_list() == [None, 11, 11, 12]


def test_windows(sales: pl.DataFrame) -> None:
    found = sales.with_columns(
        share=pl.col("count") / pl.col("count").sum().over("shop"),
        rank=pl.col("count").rank("ordinal", descending=True).over("shop"),
        moving=pl.col("count").rolling_mean(3),
    )
    assert found["share"].to_list() == [3 / 16, 1 / 6, 4 / 16, 1.0, 5 / 6, 9 / 16]
    assert found["rank"].to_list() == [3, 2, 2, 1, 1, 1]
    assert found["moving"].to_list() == pytest.approx([None, None, 8 / 3, 2.0, 10 / 3, 5.0])


def test_text() -> None:
    frame = pl.DataFrame({"text": ["ab-12", "Straße-7", "none"]})
    found = frame.select(
        number=pl.col("text").str.extract(r"-(\d+)$", 1).cast(pl.Int32),
        upper=pl.col("text").str.to_uppercase(),
        same=pl.col("text").str.replace_all("[aeiou]", "_"),
        parts=pl.col("text").str.split("-"),
        letters=pl.col("text").str.len_chars(),
        both=pl.col("text").str.contains_any(["12", "ß"]),
    )
    assert found["number"].to_list() == [12, 7, None]
    assert found["upper"].to_list() == ["AB-12", "STRASSE-7", "NONE"]
    assert found["same"].to_list() == ["_b-12", "Str_ß_-7", "n_n_"]
    assert found["parts"].to_list() == [["ab", "12"], ["Straße", "7"], ["none"]]
    assert found["letters"].to_list() == [5, 8, 4]
    assert found["both"].to_list() == [True, True, False]


def test_times() -> None:
    frame = pl.DataFrame({"text": ["2024-03-31 00:30", "2024-03-31 01:30"]}).select(
        pl.col("text").str.to_datetime("%Y-%m-%d %H:%M", time_zone="UTC").alias("at")
    )
    found = frame.select(
        berlin=pl.col("at").dt.convert_time_zone("Europe/Berlin").dt.hour(),
        week=pl.col("at").dt.week(),
        later=pl.col("at").dt.offset_by("1mo").dt.date(),
        day=pl.col("at").dt.strftime("%A"),
    )
    assert found.rows() == [(1, 13, date(2024, 4, 30), "Sunday"), (3, 13, date(2024, 4, 30), "Sunday")]
    days = pl.datetime_range(datetime(2024, 1, 1), datetime(2024, 1, 2), "6h", eager=True)
    assert len(days) == 5


def test_types() -> None:
    frame = pl.DataFrame(
        {
            "money": pl.Series([Decimal("1.10"), Decimal("2.25")], dtype=pl.Decimal(10, 2)),
            "kind": pl.Series(["x", "y"], dtype=pl.Enum(["x", "y"])),
            "list": [[1, 2, 3], []],
            "struct": [{"p": 1, "q": "r"}, {"p": 2, "q": None}],
            "big": pl.Series([2**100, -1], dtype=pl.Int128),
        }
    )
    assert frame["money"].sum() == Decimal("3.35")
    assert frame["list"].list.sum().to_list() == [6, 0]
    assert frame["struct"].struct.field("q").to_list() == ["r", None]
    assert frame["big"].sum() == 2**100 - 1
    assert frame["kind"].to_physical().to_list() == [0, 1]


FILES: dict[str, tuple[Callable[[pl.DataFrame, Path], object], Callable[[Path], pl.LazyFrame]]] = {
    "csv": (lambda frame, path: frame.write_csv(path), lambda path: pl.scan_csv(path, try_parse_dates=True)),
    "parquet": (lambda frame, path: frame.write_parquet(path, compression="zstd"), pl.scan_parquet),
    "snappy": (lambda frame, path: frame.write_parquet(path, compression="snappy"), pl.scan_parquet),
    "ipc": (lambda frame, path: frame.write_ipc(path, compression="lz4"), pl.scan_ipc),
    "ndjson": (
        lambda frame, path: frame.write_ndjson(path),
        lambda path: pl.scan_ndjson(path).with_columns(pl.col("day").str.to_date()),
    ),
    "sink": (lambda frame, path: frame.lazy().sink_parquet(path), pl.scan_parquet),
}


@pytest.mark.parametrize("kind", FILES)
def test_files(sales: pl.DataFrame, kind: str, tmp_path: Path) -> None:
    write, scan = FILES[kind]
    path = tmp_path / f"sales.{kind}"
    write(sales, path)
    assert_frame_equal(scan(path).collect(), sales)
    lazy = scan(path).filter(pl.col("count") >= 4).select("shop", pl.col("count") * 2)
    for engine in ("in-memory", "streaming"):
        assert lazy.collect(engine=engine).rows() == [("a", 8), ("b", 10), ("a", 18)]


def test_avro(sales: pl.DataFrame, tmp_path: Path) -> None:
    sales.write_avro(tmp_path / "sales.avro")
    assert_frame_equal(pl.read_avro(tmp_path / "sales.avro"), sales)


def test_json(sales: pl.DataFrame) -> None:
    again = pl.read_json(io.StringIO(sales.write_json()), schema=sales.schema)
    assert_frame_equal(again, sales)
    text = pl.Series(['{"a": {"b": [1, 2]}}', None])
    assert text.str.json_path_match("$.a.b[1]").to_list() == ["2", None]


def test_plan(sales: pl.DataFrame) -> None:
    lazy = sales.lazy().with_columns(x=pl.col("count") + 1).filter(pl.col("shop") == "a").select("x")
    assert "FILTER" in lazy.explain(optimized=True)
    assert lazy.collect()["x"].to_list() == [4, 5, 10]
    again = pl.LazyFrame.deserialize(io.BytesIO(lazy.serialize()))
    assert again.collect()["x"].to_list() == [4, 5, 10]


def test_sql(sales: pl.DataFrame) -> None:
    towns = pl.DataFrame({"shop": ["a", "b"], "town": ["Ulm", "Kiel"]})
    with pl.SQLContext(sales=sales, towns=towns, eager=True) as context:
        found = context.execute(
            """
            SELECT town, SUM(count) AS total, MAX(price) AS top
            FROM sales JOIN towns ON sales.shop = towns.shop
            WHERE count > 1 GROUP BY town ORDER BY total DESC
            """
        )
    assert found.rows() == [("Ulm", 16, 1.5), ("Kiel", 5, 2.5)]


def test_python_functions(sales: pl.DataFrame) -> None:
    doubled = sales["count"].map_elements(lambda n: int(str(n)) * 2, return_dtype=pl.Int64)
    assert doubled.to_list() == [6, 2, 8, 2, 10, 18]
    batches = sales.lazy().map_batches(lambda frame: frame.head(2)).collect()
    assert batches.height == 2


def test_many_rows() -> None:
    rows = 200_000
    frame = pl.select(n=pl.int_range(rows)).with_columns(key=pl.col("n") % 1000, half=pl.col("n") / 2)
    found = frame.group_by("key").agg(pl.col("half").sum()).sort("key")
    assert found.height == 1000
    assert found["half"].sum() == rows * (rows - 1) / 4
    assert frame.sort("key", "n", descending=[True, False])["n"].head(2).to_list() == [999, 1999]
