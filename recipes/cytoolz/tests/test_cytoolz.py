"""Functions over iterables and dictionaries."""

import cytoolz
import cytoolz.curried


def test_functions():
    assert cytoolz.frequencies("abca") == {"a": 2, "b": 1, "c": 1}
    assert cytoolz.pipe(range(10), cytoolz.curried.filter(lambda x: x % 2), sum) == 25
    assert list(cytoolz.sliding_window(3, range(5))) == [(0, 1, 2), (1, 2, 3), (2, 3, 4)]
    assert cytoolz.merge_with(sum, {"a": 1}, {"a": 2, "b": 3}) == {"a": 3, "b": 3}
    assert cytoolz.compose.__module__.startswith("cytoolz.functoolz")
