"""Distances of strings and of lists."""

import editdistance


def test_distances():
    assert editdistance.eval("banana", "bahama") == 2
    assert editdistance.distance(["a", 1, (2,)], ["a", (2,)]) == 1
    assert editdistance.eval("x" * 300, "y" * 200) == 300
