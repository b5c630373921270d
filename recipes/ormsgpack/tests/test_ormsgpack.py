"""Values there and back, options, and what cannot be packed."""

import dataclasses
import datetime as dt
import uuid

import ormsgpack
import pytest


@dataclasses.dataclass
class Point:
    x: int
    y: float


def test_round_trip():
    value = {"a": [1, -(2**63), 2**64 - 1, 1.5, None, True, "é\U0001f600", b"\x00\xff"], "b": {}}
    assert ormsgpack.unpackb(ormsgpack.packb(value)) == value


def test_types():
    moment = dt.datetime(2026, 11, 30, tzinfo=dt.UTC)
    packed = ormsgpack.packb([Point(1, 2.5), uuid.UUID(int=1), moment])
    assert ormsgpack.unpackb(packed) == [
        {"x": 1, "y": 2.5},
        "00000000-0000-0000-0000-000000000001",
        "2026-11-30T00:00:00+00:00",
    ]


def test_keys_that_are_not_strings():
    with pytest.raises(ormsgpack.MsgpackEncodeError):
        ormsgpack.packb({1: 2})
    assert ormsgpack.unpackb(
        ormsgpack.packb({1: 2}, option=ormsgpack.OPT_NON_STR_KEYS), option=ormsgpack.OPT_NON_STR_KEYS
    ) == {1: 2}


def test_damaged_data():
    with pytest.raises(ormsgpack.MsgpackDecodeError):
        ormsgpack.unpackb(b"\x92\x01")
