"""Known sums, and sums in pieces."""

import crc32c


def test_known_sums():
    assert crc32c.crc32c(b"123456789") == 0xE3069283
    assert crc32c.crc32c(b"\x00" * 32) == 0x8A9136AA
    assert crc32c.crc32c(b"56789", crc32c.crc32c(b"1234")) == 0xE3069283
