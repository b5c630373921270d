"""Bits set, counted, searched and converted, by both extension modules."""

import random

from bitarray import bitarray
from bitarray.util import ba2int, count_xor, int2ba, parity, zeros


def test_like_a_list_of_bits():
    generator = random.Random(7)
    plain = [generator.random() < 0.5 for _ in range(1000)]
    bits = bitarray(plain)
    bits[10:500:7] = True
    plain[10:500:7] = [True] * len(range(10, 500, 7))
    del bits[3::11]
    del plain[3::11]
    assert bits.tolist() == [int(bit) for bit in plain]
    assert bits.count() == sum(plain)
    assert (~bits).count() == len(plain) - sum(plain)


def test_search_and_bytes():
    bits = bitarray("0010110010110", endian="big")
    assert list(bits.search(bitarray("1011"))) == [2, 8]
    again = bitarray(endian="big")
    again.frombytes(bits.tobytes())
    assert again[: len(bits)] == bits


def test_util():
    assert ba2int(int2ba(2**70 + 5)) == 2**70 + 5
    assert count_xor(bitarray("1100"), bitarray("1010")) == 2
    assert parity(bitarray("1110")) == 1
    assert zeros(9).count() == 0
