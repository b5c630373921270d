"""Sets of integers."""

from pyroaring import BitMap, BitMap64


def test_sets():
    one, other = BitMap(range(0, 200_000, 2)), BitMap(range(0, 200_000, 3))
    assert len(one & other) == 33_334
    assert len(one | other) == 133_333
    assert one.rank(10) == 6
    assert BitMap.deserialize(one.serialize()) == one
    assert max(BitMap64([1, 2**40])) == 2**40
