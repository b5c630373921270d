"""Round trips, and damaged data."""

import pytest
import zstd

DATA = b"the quick brown fox " * 500


def test_round_trip():
    for level in (1, 9, 19):
        packed = zstd.compress(DATA, level)
        assert len(packed) < len(DATA) // 20
        assert zstd.decompress(packed) == DATA


def test_damaged_data():
    with pytest.raises(zstd.Error):
        zstd.decompress(zstd.compress(DATA)[:-4])
