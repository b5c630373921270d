"""Known hashes."""

from murmurhash import mrmr


def test_known_hashes():
    assert mrmr.hash("foo") == -156908512
    assert mrmr.hash("", 1) == 1364076727
    assert mrmr.hash_bytes(b"foo", 0) == mrmr.hash("foo")
