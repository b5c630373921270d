"""Which format a file is in, by its first bytes."""

from __future__ import annotations

import struct

MAGIC_64 = b"\xcf\xfa\xed\xfe"
"""``MH_MAGIC_64`` of a little-endian file."""

_MACHO_MAGICS = frozenset({MAGIC_64, b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"\xfe\xed\xfa\xce"})

FAT_MAGIC = b"\xca\xfe\xba\xbe"
FAT_MAGIC_64 = b"\xca\xfe\xba\xbf"

_JAVA_FIRST_MAJOR = 45
"""Java class files share `FAT_MAGIC`; where a fat header counts its slices, they have a version >= 45."""

_OTHERS = (
    (b"\x7fELF", "ELF, for Linux and the like"),
    (b"MZ", "PE, for Windows"),
    (b"!<arch>\n", "a static archive"),
    (b"\0asm", "WebAssembly"),
    (b"BC\xc0\xde", "LLVM bitcode"),
    (b"PK\x03\x04", "a zip archive"),
    (b"#!", "a script"),
    (FAT_MAGIC, "a Java class"),
)


def looks_like_macho(data: bytes) -> bool:
    """Whether the first bytes (8 are enough) are a thin or fat Mach-O file's (``loader.h``, ``fat.h``)."""
    magic = data[:4]
    if magic in (FAT_MAGIC, FAT_MAGIC_64):
        return len(data) >= 8 and struct.unpack(">I", data[4:8])[0] < _JAVA_FIRST_MAJOR
    return magic in _MACHO_MAGICS


def describe_format(data: bytes) -> str:
    """What a file is, for an error's text, e.g. ``ELF, for Linux and the like``.

    Args:
        data: Its first bytes; 8 are enough.
    """
    if not data:
        return "an empty file"
    if looks_like_macho(data):
        return "Mach-O"
    for magic, label in _OTHERS:
        if data.startswith(magic):
            return label
    return f"no known format (it starts with {data[:4].hex(' ')})"
