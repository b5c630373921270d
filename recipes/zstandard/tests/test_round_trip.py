"""Compressed and decompressed, whole and as a stream, by the C extension and through cffi."""

import io

import pytest
import zstandard
from zstandard import backend_cffi

DATA = bytes(range(256)) * 4000


def test_the_c_extension_is_used():
    assert zstandard.backend == "cext"


@pytest.mark.parametrize("module", [zstandard, backend_cffi], ids=["c", "cffi"])
def test_round_trip(module):
    packed = module.ZstdCompressor(level=10).compress(DATA)
    assert len(packed) < len(DATA) // 100
    assert module.ZstdDecompressor().decompress(packed) == DATA


def test_stream():
    packed = zstandard.ZstdCompressor().compress(DATA)
    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(packed)) as reader:
        assert reader.read(1000) + reader.read() == DATA
