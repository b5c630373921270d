"""Unwind tables made by hand."""

from __future__ import annotations

import struct

from forge.emulate.runtime.unwind_model import uleb_bytes


def unwind_info(pages: list[tuple[int, bytes]], end: int, lsdas: list[tuple[int, int]]) -> bytes:
    """A section with one common encoding (0x01000000 | LSDA | personality 1) and one personality at 0x2000."""
    common, personalities = struct.pack("<I", 0x51000000), struct.pack("<I", 0x2000)
    index_at = 28 + 8
    lsda_at = index_at + 12 * (len(pages) + 1)
    page_at = lsda_at + 8 * len(lsdas)
    index, body = b"", b""
    for start, page in pages:
        index += struct.pack("<3I", start, page_at + len(body), lsda_at)
        body += page
    index += struct.pack("<3I", end, 0, lsda_at + 8 * len(lsdas))
    header = struct.pack("<7I", 1, 28, 1, 32, 1, index_at, len(pages) + 1)
    rows = b"".join(struct.pack("<II", *row) for row in lsdas)
    return header + common + personalities + index + rows + body


REGULAR = struct.pack("<IHH", 2, 8, 2) + struct.pack("<4I", 0x100, 0x51000000, 0x180, 0)
COMPRESSED = struct.pack("<I4H", 3, 16, 2, 12, 1) + struct.pack("<III", 0x02010000, 0, 0x01000040)


def eh_frame(section_at: int) -> bytes:
    """A CIE with personality and LSDA as Darwin's compilers write them, and one FDE of function 0x400, LSDA 0x980."""
    augmentation = b"\x9b" + struct.pack("<i", 0x2000 - (section_at + 19)) + b"\x10\x10"
    cie = struct.pack("<I", 0) + b"\x01zPLR\0\x01\x78\x10" + uleb_bytes(len(augmentation)) + augmentation
    cie += b"\x0c\x07\x08\x90\x01"
    cie = cie.ljust(-(-len(cie) // 4) * 4, b"\0")
    out = struct.pack("<I", len(cie)) + cie
    start = len(out) + 8
    fde = struct.pack("<I", len(out) + 4) + struct.pack("<qq", 0x400 - (section_at + start), 0x20)
    fde += b"\x08" + struct.pack("<q", 0x980 - (section_at + start + 17)) + b"\x41\x0e\x10"
    return out + struct.pack("<I", len(fde)) + fde + bytes(4)
