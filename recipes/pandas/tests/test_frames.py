"""pandas' compiled parts: the CSV parser, hash tables, groups, dates and windows."""

import io

import numpy as np
import pandas as pd


def test_reads_and_groups() -> None:
    frame = pd.read_csv(io.StringIO("city,day,rain\nBonn,2026-01-03,2.5\nOslo,2026-01-03,0.5\nBonn,2026-01-04,1.5\n"))
    assert frame.groupby("city")["rain"].sum().to_dict() == {"Bonn": 4.0, "Oslo": 0.5}


def test_joins() -> None:
    left = pd.DataFrame({"key": ["a", "b", "c"], "x": [1, 2, 3]})
    right = pd.DataFrame({"key": ["c", "a"], "y": [30, 10]})
    assert left.merge(right, on="key")["y"].tolist() == [10, 30]


def test_knows_dates_and_time_zones() -> None:
    days = pd.date_range("2026-03-28 12:00", periods=3, freq="D", tz="Europe/Berlin")
    assert [day.utcoffset().total_seconds() for day in days] == [3600, 7200, 7200]
    assert str(pd.Period("2026-02", freq="M").end_time.date()) == "2026-02-28"


def test_rolls_windows() -> None:
    rolled = pd.Series(np.arange(6.0)).rolling(3).mean()
    assert rolled.tolist()[2:] == [1.0, 2.0, 3.0, 4.0]


def test_round_trips_json() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "ü"]})
    assert pd.read_json(io.StringIO(frame.to_json())).equals(frame)
