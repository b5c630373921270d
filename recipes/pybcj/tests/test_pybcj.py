"""Branches of machine code there and back."""

import bcj


def test_round_trip():
    code = bytes.fromhex("e8000000009090e8100000009090") * 200
    encoder = bcj.BCJEncoder()
    packed = encoder.encode(code) + encoder.flush()
    assert packed != code
    decoder = bcj.BCJDecoder(len(code))
    assert decoder.decode(packed) + decoder.decode(b"") == code
