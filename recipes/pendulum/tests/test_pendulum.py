"""Parsing and differences, in compiled code."""

import pendulum
from pendulum import _pendulum, parsing


def test_the_compiled_code_is_taken():
    assert parsing.parse_iso8601 is _pendulum.parse_iso8601


def test_dates():
    moment = pendulum.parse("2026-11-30T01:02:03.5+02:00")
    assert moment.in_timezone("UTC").isoformat() == "2026-11-29T23:02:03.500000+00:00"
    assert pendulum.datetime(2024, 1, 31).add(months=1).to_date_string() == "2024-02-29"
    interval = pendulum.datetime(2026, 3, 1) - pendulum.datetime(2024, 2, 29)
    assert (interval.years, interval.months, interval.remaining_days) == (2, 0, 1)
    assert pendulum.duration(days=8, hours=5).in_words() == "1 week 1 day 5 hours"
