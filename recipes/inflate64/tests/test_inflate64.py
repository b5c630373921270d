"""There and back."""

import inflate64

DATA = b"the quick brown fox " * 5000


def test_round_trip():
    deflater = inflate64.Deflater()
    packed = deflater.deflate(DATA) + deflater.flush()
    assert len(packed) < len(DATA) // 2
    inflater = inflate64.Inflater()
    found = [inflater.inflate(packed[at : at + 100]) for at in range(0, len(packed), 100)]
    while not inflater.eof and (more := inflater.inflate(b"")):
        found.append(more)
    assert b"".join(found) == DATA
