"""Structures, validation and both formats."""

import datetime as dt
from typing import Annotated

import msgspec
import pytest


class Point(msgspec.Struct, array_like=True, frozen=True):
    x: int
    y: float = 0.5


class Line(msgspec.Struct, tag="line"):
    points: list[Point]
    when: dt.datetime | None = None


LINE = Line([Point(1), Point(2, 3.25)], dt.datetime(2026, 11, 30, tzinfo=dt.UTC))


@pytest.mark.parametrize("format_", [msgspec.json, msgspec.msgpack])
def test_round_trip(format_):
    assert format_.decode(format_.encode(LINE), type=Line) == LINE


def test_json():
    assert msgspec.json.encode(LINE) == b'{"type":"line","points":[[1,0.5],[2,3.25]],"when":"2026-11-30T00:00:00Z"}'


def test_where_an_error_is():
    with pytest.raises(msgspec.ValidationError, match=r"\$\.points\[0\]\[1\]"):
        msgspec.json.decode(b'{"type":"line","points":[[1,"x"]]}', type=Line)
    with pytest.raises(msgspec.ValidationError, match="`int` >= 3"):
        msgspec.convert(2, Annotated[int, msgspec.Meta(ge=3)])
