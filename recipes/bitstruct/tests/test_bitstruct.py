"""The compiled code packs as Python's does."""

import bitstruct
import bitstruct.c
import pytest


def test_both():
    for layout, values in (("u1u3u4s16", (1, 2, 3, -4)), ("f32b1p7r16", (1.5, True, b"\x12\x34"))):
        packed = bitstruct.c.pack(layout, *values)
        assert packed == bitstruct.pack(layout, *values)
        assert bitstruct.c.unpack(layout, packed) == values


def test_too_little_data():
    with pytest.raises(ValueError, match="Short"):
        bitstruct.c.unpack("u32", b"\x00")
