"""Blocks and frames, both in compiled code."""

import lz4.block
import lz4.frame
import pytest

DATA = b"the quick brown fox " * 500


def test_blocks():
    packed = lz4.block.compress(DATA, mode="high_compression")
    assert len(packed) < len(DATA) // 10
    assert lz4.block.decompress(packed) == DATA
    with pytest.raises(lz4.block.LZ4BlockError):
        lz4.block.decompress(packed[:-3])


def test_frames():
    packed = lz4.frame.compress(DATA, content_checksum=True)
    assert lz4.frame.decompress(packed) == DATA
    assert lz4.frame.get_frame_info(packed)["content_size"] == len(DATA)
    with pytest.raises(RuntimeError):
        lz4.frame.decompress(packed[:-1] + bytes([packed[-1] ^ 1]))
