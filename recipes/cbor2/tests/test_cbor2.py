"""Values there and back, tags, and damaged data; all in compiled code."""

import datetime as dt
import decimal
import fractions

import cbor2
import pytest

VALUES = [
    0, -1, 2**64, -(2**70), 1.5, float("inf"), "é\U0001f600", b"\x00\xff", [1, [2, {}]], {"a": {1: None}}, True,
    decimal.Decimal("1.10"), fractions.Fraction(1, 3), dt.datetime(2026, 11, 30, tzinfo=dt.UTC),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_round_trip(value):
    assert cbor2.loads(cbor2.dumps(value)) == value


def test_canonical():
    assert cbor2.dumps({"b": 1, "a": [1.5]}, canonical=True).hex() == "a2616181f93e00616201"


def test_shared_values():
    value = []
    value.append(value)
    loaded = cbor2.loads(cbor2.dumps(value, value_sharing=True))
    assert loaded[0] is loaded


def test_damaged_data():
    with pytest.raises(cbor2.CBORDecodeError):
        cbor2.loads(b"\x82\x01")
