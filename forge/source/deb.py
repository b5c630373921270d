"""Debian's binary packages, unpacked without Debian's tools: an ``ar`` archive with a tar of the files in it.

Format: deb(5). The archive's members are ``debian-binary``, ``control.tar.*`` and ``data.tar.*``.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from forge.base.errors import SourceError
from forge.source.archive import Limits, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAGIC = b"!<arch>\n"
_HEADER = 60
_KNOWN = (".xz", ".gz", ".bz2", "")
"""Compressions of ``data.tar`` that the standard library reads; Debian's own packages are xz, Ubuntu's zstd."""


def unpack_deb(package: Path, destination: Path, limits: Limits | None = None) -> None:
    """Unpack the files of a Debian package; *destination* is there whole or not at all.

    Args:
        package: The ``.deb`` file.
        destination: The directory to make.
        limits: How much it may unpack to.

    Raises:
        SourceError: It is damaged or unsafe, or not a Debian package.
        StorageError: The disk is full, or may not be written.
    """
    with package.open("rb") as file, tempfile.TemporaryDirectory() as scratch:
        for name, size in _members(file, package.name):
            if not name.startswith("data.tar"):
                continue
            ending = name.removeprefix("data.tar")
            if ending not in _KNOWN:
                raise SourceError(f"{package.name} is compressed with {ending[1:]}, which forge cannot read")
            data = Path(scratch) / name
            with data.open("wb") as out:
                _copy(file, out, size, package.name)
            unpack(data, destination, limits)
            return
    raise SourceError(f"{package.name} is not a Debian package: it contains no data.tar")


def _members(file: BinaryIO, what: str) -> Iterator[tuple[str, int]]:
    """Each member's name and size; the file stands at its contents meanwhile."""
    if file.read(len(_MAGIC)) != _MAGIC:
        raise SourceError(f"{what} is not a Debian package")
    place = len(_MAGIC)
    while header := file.read(_HEADER):
        # ar(5): name 16, mtime 12, uid 6, gid 6, mode 8, size 10, and two bytes at the end.
        if len(header) < _HEADER or header[58:60] != b"`\n" or not header[48:58].strip().isdigit():
            raise SourceError(f"{what} is damaged: its table of members cannot be read")
        size = int(header[48:58])
        yield header[:16].decode("ascii", "replace").strip().rstrip("/"), size
        place += _HEADER + size + size % 2  # members begin at even places
        file.seek(place)


def _copy(source: BinaryIO, destination: BinaryIO, size: int, what: str) -> None:
    shutil.copyfileobj(_Part(source, size), destination)
    if destination.tell() != size:
        raise SourceError(f"{what} is damaged: it ends too early")


class _Part:
    """The next bytes of a file, as one of their own."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._left = size

    def read(self, size: int = -1, /) -> bytes:
        piece = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(piece)
        return piece
