"""Maps from hashes, Bloom filters, counters."""

from preshed.bloom import BloomFilter
from preshed.counter import PreshCounter
from preshed.maps import PreshMap


def test_maps():
    table = PreshMap()
    for key in range(1, 1000):
        table[key * 2**40] = key
    assert (len(table), table[7 * 2**40], table[3]) == (999, 7, None)
    assert table.pop(7 * 2**40) == 7


def test_counters_and_filters():
    counter = PreshCounter()
    counter.inc(12, 3)
    assert counter[12] == 3
    bloom = BloomFilter(size=1000, hash_funcs=3)
    bloom.add(42)
    assert 42 in bloom
