"""Known hashes, and hashing in pieces."""

import mmh3


def test_known_hashes():
    assert mmh3.hash("foo") == -156908512
    assert mmh3.hash("foo", signed=False) == 4138058784
    assert mmh3.hash64("foo") == (-2129773440516405919, 9128664383759220103)
    assert mmh3.hash128("foo", 42) == 215966891540331383248189432718888555506


def test_pieces():
    hasher = mmh3.mmh3_x64_128(seed=42)
    for piece in (b"f", b"oo"):
        hasher.update(piece)
    assert hasher.uintdigest() == mmh3.hash128("foo", 42)
