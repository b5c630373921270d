"""Known hashes, keys and threads."""

from blake3 import blake3


def test_hashes():
    assert blake3(b"").hexdigest() == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
    data = bytes(range(251)) * 5000
    whole = blake3(data, max_threads=blake3.AUTO).digest()
    pieces = blake3()
    for at in range(0, len(data), 9999):
        pieces.update(data[at : at + 9999])
    assert pieces.digest() == whole
    assert blake3(b"x", key=b"k" * 32).digest() != blake3(b"x").digest()
    assert len(blake3(b"x").digest(length=100)) == 100
