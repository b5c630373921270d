"""Round trips, streams and damaged data."""

import brotli
import pytest

DATA = b"the quick brown fox " * 500


@pytest.mark.parametrize("quality", [0, 5, 11])
def test_round_trip(quality):
    packed = brotli.compress(DATA, quality=quality)
    assert len(packed) < len(DATA) // 10
    assert brotli.decompress(packed) == DATA


def test_streams():
    compressor = brotli.Compressor()
    packed = compressor.process(DATA) + compressor.flush() + compressor.process(b"end") + compressor.finish()
    decompressor = brotli.Decompressor()
    assert b"".join(decompressor.process(packed[at : at + 7]) for at in range(0, len(packed), 7)) == DATA + b"end"
    assert decompressor.is_finished()


def test_damaged_data():
    with pytest.raises(brotli.error):
        brotli.decompress(brotli.compress(DATA)[:-2])
