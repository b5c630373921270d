"""Values packed and unpacked by the compiled code, whole and as a stream."""

import msgpack
import pytest
from msgpack import _cmsgpack

VALUES = [None, True, -1, 2**63, 1.5, "smör", b"\x00\xff", [1, [2, [3]]], {"a": {"b": []}}, msgpack.Timestamp(1, 2)]


def test_the_compiled_code_is_used():
    assert msgpack.Packer is _cmsgpack.Packer
    assert msgpack.Unpacker is _cmsgpack.Unpacker


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_round_trip(value):
    assert msgpack.unpackb(msgpack.packb(value)) == value


def test_stream():
    unpacker = msgpack.Unpacker()
    for byte in b"".join(map(msgpack.packb, VALUES)):
        unpacker.feed(bytes([byte]))
    assert list(unpacker) == VALUES


def test_what_is_cut_short():
    with pytest.raises(ValueError, match="incomplete"):
        msgpack.unpackb(msgpack.packb("text")[:-1])
