"""What is in a tar or zip file, as one kind of value: names, kinds, modes, times, and how to read each."""

from __future__ import annotations

import calendar
import enum
import stat
import tarfile
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, cast

from forge.base.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_ZSTD = b"\x28\xb5\x2f\xfd"  # RFC 8878, 3.1.1
_DOS = 0  # the system that an archive was made on (APPNOTE.TXT, 4.4.2.2)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # a local header; the end record of an empty archive (APPNOTE.TXT, 4.3)


class Kind(enum.Enum):
    """What an archive's member is."""

    FILE = enum.auto()
    DIRECTORY = enum.auto()
    SYMLINK = enum.auto()
    HARDLINK = enum.auto()
    OTHER = enum.auto()


@dataclass(frozen=True)
class Member:
    """One entry of an archive.

    Args:
        name: As the archive has it.
        kind: What it is.
        executable: Whether its owner may run it.
        mtime: Seconds since 1970.
        size: Bytes of content, as the archive claims.
        link: Where a link points, else an empty string.
        open: Opens the content of a file.
    """

    name: str
    kind: Kind
    executable: bool
    mtime: float
    size: int
    link: str
    open: Callable[[], IO[bytes]]


@contextmanager
def members(archive: Path) -> Iterator[Iterator[Member]]:
    """The members of a tar (plain, gzip, bzip2, xz; zstd where Python can) or zip file, told by content.

    Raises:
        SourceError: It is none of these.
    """
    with archive.open("rb") as file:
        start = file.read(4)
    if start.startswith(_ZIP):
        with zipfile.ZipFile(archive) as zipped:
            yield _zip_members(zipped)
    elif start == _ZSTD and "zst" not in tarfile.TarFile.OPEN_METH:
        raise SourceError(
            f"{archive.name} is compressed with zstd, which this Python cannot read",
            hint="use Python 3.14 or later, or another mirror's format",
        )
    else:
        with tarfile.open(archive, "r:*") as tar:
            yield _tar_members(tar)


def _tar_members(tar: tarfile.TarFile) -> Iterator[Member]:
    for info in tar:
        if info.isreg():
            kind = Kind.FILE
        elif info.isdir():
            kind = Kind.DIRECTORY
        elif info.issym():
            kind = Kind.SYMLINK
        elif info.islnk():
            kind = Kind.HARDLINK
        else:
            kind = Kind.OTHER

        def open_it(info: tarfile.TarInfo = info) -> IO[bytes]:
            return cast("IO[bytes]", tar.extractfile(info))  # None only for what is no file

        executable = bool(info.mode & stat.S_IXUSR)
        yield Member(info.name, kind, executable, float(info.mtime), info.size, info.linkname, open_it)
    # The checksum of a compressed stream is at its end, after what tarfile reads: reading on finds a cut.
    # What is there is padding of a few KiB; reading stops after 64 MiB, because it might be a bomb.
    rest = cast("IO[bytes]", tar.fileobj)  # None only for a closed archive
    for _ in range(64):
        if not rest.read(1024 * 1024):
            break


def _zip_members(zipped: zipfile.ZipFile) -> Iterator[Member]:
    for info in zipped.infolist():
        mode = info.external_attr >> 16  # of Unix; 0 where the archive was made elsewhere
        link = ""
        # Programs of Windows write its separator, though only '/' is allowed (APPNOTE.TXT, 4.4.17.1).
        name = info.filename.replace("\\", "/") if info.create_system == _DOS else info.filename
        if name.endswith("/"):
            kind = Kind.DIRECTORY
        elif stat.S_ISLNK(mode):
            kind = Kind.SYMLINK
            if info.file_size > 4096:
                raise SourceError(f"the symbolic link {info.filename!r} is longer than a path can be")
            link = zipped.read(info).decode("utf-8", errors="surrogateescape")
        elif stat.S_IFMT(mode) in (0, stat.S_IFREG):
            kind = Kind.FILE
        else:
            kind = Kind.OTHER

        def open_it(info: zipfile.ZipInfo = info) -> IO[bytes]:
            return zipped.open(info)

        # A zip has no time zone; UTC makes the time the same on every machine.
        # Archives that are made to be reproducible may have a date of 0, but months and days are counted from 1.
        year, month, day, *time = info.date_time
        mtime = float(calendar.timegm((year, max(1, month), max(1, day), *time, 0, 0, 0)))
        yield Member(name, kind, bool(mode & stat.S_IXUSR), mtime, info.file_size, link, open_it)
