"""Answers that the server keeps: the same while nothing has changed, and never more than fits."""

from __future__ import annotations

import gzip

from hypothesis import given
from hypothesis import strategies as st

from forge.index.server.kept import Answers


def test_made_once() -> None:
    answers, state = Answers(), object()
    first = answers.get("demo", (state,), lambda: b"x" * 5000)
    assert answers.get("demo", (state,), lambda: b"never made") is first
    assert first.packed is not None
    assert gzip.decompress(first.packed) == first.content
    assert len(first.packed) < 100
    assert answers.get("other", (state,), lambda: b"short").packed is None


def test_made_again_from_something_else() -> None:
    """Objects that are equal are not the same: comparing what an index holds takes longer than a page."""
    answers = Answers()
    one, other = [1], [1]
    assert answers.get("demo", (one, None), lambda: b"1").content == b"1"
    assert answers.get("demo", (other, None), lambda: b"2").content == b"2"
    assert answers.get("demo", (one, None), lambda: b"3").content == b"3"


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 1), st.integers(0, 60)), max_size=60))
def test_no_more_than_fits(asked: list[tuple[int, int, int]]) -> None:
    answers, sources = Answers(limit=100), ([0], [1])
    for what, source, size in asked:
        got = answers.get(what, (sources[source],), lambda size=size, source=source: bytes([source]) * size)  # type: ignore[misc]  # their values now
        assert set(got.content) <= {source}
        kept = [entry[1].size for entry in answers._kept.values()]
        assert sum(kept) == answers._size <= 100


def test_what_is_too_large_is_answered_all_the_same() -> None:
    answers = Answers(limit=10)
    assert answers.get("demo", (), lambda: b"x" * 11).content == b"x" * 11
    assert not answers._kept
