"""Code in a zip archive in a wheel: nothing on iOS loads it.

``zipimport`` finds no extension modules, and iOS maps only code that is signed with the app, so that it does not load
what is unpacked at run time.
"""

from __future__ import annotations

import io
import lzma
import struct
import zipfile
import zlib

from forge.macho.formats import looks_like_macho

_START = b"PK\x03\x04"
# NotImplementedError (a compression that Python does not know) is a RuntimeError, as is an encrypted member's error.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    struct.error,
)
_MAX_MEMBERS = 2_000
"""That are looked into; a larger archive is one of data."""


def archived_code(data: bytes) -> str | None:
    """The first file of a zip archive that is Mach-O; None for another file, or an archive without one.

    Args:
        data: The file. One that only looks like an archive is none.
    """
    if not data.startswith(_START):
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist()[:_MAX_MEMBERS]:
                with archive.open(entry) as member:
                    if looks_like_macho(member.read(8)):
                        return entry.filename
    except _UNREADABLE:
        return None  # encrypted, cut off, or packed in a way that Python does not know
    return None
