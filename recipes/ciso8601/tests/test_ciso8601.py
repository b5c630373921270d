"""Dates in several forms."""

import datetime as dt

import ciso8601
import pytest


def test_dates():
    assert ciso8601.parse_datetime("2026-11-30T01:02:03.5+02:00") == dt.datetime(
        2026, 11, 30, 1, 2, 3, 500000, dt.timezone(dt.timedelta(hours=2))
    )
    assert ciso8601.parse_datetime("20261130") == dt.datetime(2026, 11, 30)
    with pytest.raises(ValueError, match="month"):
        ciso8601.parse_datetime("2026-13-01")
