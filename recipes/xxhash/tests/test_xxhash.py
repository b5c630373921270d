"""Known hashes, in one go and in pieces."""

import xxhash


def test_known_hashes():
    assert xxhash.xxh32_hexdigest(b"") == "02cc5d05"
    assert xxhash.xxh64_hexdigest(b"") == "ef46db3751d8e999"
    assert xxhash.xxh3_64_hexdigest(b"") == "2d06800538d394c2"
    assert xxhash.xxh128_hexdigest(b"") == "99aa06d3014798d86001c324468d497f"


def test_pieces():
    data = bytes(range(256)) * 40
    for kind in (xxhash.xxh32, xxhash.xxh64, xxhash.xxh3_64, xxhash.xxh3_128):
        whole, pieces = kind(data, seed=7), kind(seed=7)
        for at in range(0, len(data), 999):
            pieces.update(data[at : at + 999])
        assert pieces.digest() == whole.digest() != kind(data).digest()
        copy = pieces.copy()
        copy.update(b"x")
        assert copy.intdigest() != pieces.intdigest()
