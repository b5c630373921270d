"""Reading zip files that nobody vouches for.

Everything is checked before a byte is unpacked: a wheel may come from anywhere, and is written to disk.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from forge.base.errors import WheelError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ENCRYPTED = 0x1
_NOT_UNPACKED = "forge does not unpack such a wheel"
_UTF8 = 0x800
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]").search
_READ_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
"""What ``zipfile`` raises for broken archives; UnicodeDecodeError is a ValueError."""


@dataclass(frozen=True)
class Limits:
    """What is still taken for an honest archive.

    Args:
        members: How many files.
        member_bytes: A file's size, unpacked.
        total_bytes: All files' size, unpacked.
        ratio: Unpacked to packed, of files above *ratio_from* bytes. Deflate itself reaches about 1030; code
            and text stay below 50.
        ratio_from: Below this size in bytes a high ratio does no harm.
        total_ratio: Unpacked to packed, of all files together, above *total_ratio_from* bytes.
        total_ratio_from: Below this size in bytes of all files a high ratio does no harm.
    """

    members: int = 200_000
    member_bytes: int = 2 << 30
    total_bytes: int = 8 << 30
    ratio: int = 500
    ratio_from: int = 16 << 20
    total_ratio: int = 200
    total_ratio_from: int = 128 << 20


@dataclass(frozen=True)
class Member:
    """A file in a wheel.

    Args:
        path: With ``/``, relative.
        size: Unpacked, in bytes.
        packed_size: In the archive, in bytes.
        executable: Whether its mode has an x bit.
    """

    path: str
    size: int
    packed_size: int
    executable: bool


@contextlib.contextmanager
def open_archive(path: Path, limits: Limits | None = None) -> Iterator[tuple[zipfile.ZipFile, tuple[Member, ...]]]:
    """Open a zip file and check its directory.

    Args:
        path: The file.
        limits: What is still taken; the defaults fit wheels.

    Yields:
        The archive, and its files sorted by path (directories left out).

    Raises:
        WheelError: It cannot be read, is no zip file, or has a member that is not to be unpacked: outside its
            directory, twice, encrypted, a link, too large.
    """
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
            start = file.read(4)
            if start != b"PK\x03\x04":
                raise WheelError(f"{path.name}: not a zip file" if start else f"{path.name}: an empty file")
            archive = stack.enter_context(zipfile.ZipFile(file))
            _check_whole(path.name, file, archive)
        except _READ_ERRORS as error:
            raise unreadable(path.name, error) from error
        yield archive, _checked(path.name, archive.infolist(), limits or Limits())


def read_member(archive: zipfile.ZipFile, member: str, wheel: str) -> bytes:
    """A member's bytes.

    Args:
        archive: As `open_archive` gave it.
        member: Its path.
        wheel: The wheel's name, for the error.

    Raises:
        WheelError: It is not there or cannot be unpacked (wrong CRC, cut off).
    """
    try:
        return archive.read(member)
    except KeyError:
        raise WheelError(f"{wheel}: {member}: no such member") from None
    except _READ_ERRORS as error:
        raise unreadable(f"{wheel}: {member}", error) from error


def unreadable(what: str, error: Exception) -> WheelError:
    """The error for an archive or member that ``zipfile`` gave up on."""
    if isinstance(error, OSError) and error.strerror:
        return WheelError(f"{what}: cannot be read: {error.strerror}")
    said = (
        "a member's name is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error) or type(error).__name__
    )
    return WheelError(f"{what}: damaged zip file: {said}", hint="download or build the wheel again")


_END = struct.Struct("<4s4H2IH")
"""The end of a zip file's central directory: signature, disks, counts, size, offset, length of the comment."""


def _check_whole(wheel: str, file: IO[bytes], archive: zipfile.ZipFile) -> None:
    """The archive is all that the file holds.

    ``zipfile`` takes what stands before the first member and behind the end: two archives in one file are read as the
    second, and by other readers as the first.

    Raises:
        WheelError: There is something else.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - _END.size - 0xFFFF, 0))
    tail = file.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or at + _END.size + int.from_bytes(tail[at + 20 : at + 22], "little") != len(tail):
        raise WheelError(f"{wheel}: bytes follow the end of the zip archive", hint="download or build it again")
    if archive.filelist and min(entry.header_offset for entry in archive.filelist) != 0:
        raise WheelError(
            f"{wheel}: the zip archive starts after other data, such as another archive",
            hint="download or build it again",
        )


def _checked(wheel: str, entries: list[zipfile.ZipInfo], limits: Limits) -> tuple[Member, ...]:
    if len(entries) > limits.members:
        raise WheelError(f"{wheel}: {len(entries)} members; more than {limits.members} are not taken")
    members: dict[str, Member] = {}
    total = packed = 0
    for entry in entries:
        problem = _name_problem(entry) or _entry_problem(entry, limits)
        if problem is None and entry.filename in members:
            problem = "is in the archive twice"
        if problem:
            raise WheelError(f"{wheel}: {_shown(entry.orig_filename)}: {problem}", hint=_NOT_UNPACKED)
        total += entry.file_size
        if total > limits.total_bytes:
            raise WheelError(
                f"{wheel}: unpacks to more than {limits.total_bytes} bytes",
                hint=_NOT_UNPACKED,
            )
        packed += entry.compress_size
        if total > limits.total_ratio_from and total > limits.total_ratio * packed:
            raise WheelError(f"{wheel}: unpacks from {packed} to {total} bytes: a zip bomb", hint=_NOT_UNPACKED)
        if not entry.is_dir():
            mode = entry.external_attr >> 16
            members[entry.filename] = Member(entry.filename, entry.file_size, entry.compress_size, bool(mode & 0o111))
    directories = {path.rpartition("/")[0]: path for path in members}  # many files have the same
    for directory, path in directories.items():
        parent = directory
        while parent:
            if parent in members:
                raise WheelError(f"{wheel}: {_shown(path)}: lies below a file")
            parent = parent.rpartition("/")[0]
    return tuple(members[path] for path in sorted(members))


_NO_NAMES = frozenset(("", ".", ".."))


def _name_problem(entry: zipfile.ZipInfo) -> str | None:
    name = entry.orig_filename
    parts = name.removesuffix("/").split("/")
    if not name.isascii() and not entry.flag_bits & _UTF8:
        return "its name is neither ASCII nor marked as UTF-8"
    if not name or _UNSAFE(name):
        return "its name has a backslash or a control character, or is empty"
    if name.startswith("/") or parts[0].endswith(":") or (len(parts[0]) > 1 and parts[0][1] == ":"):
        return "its name is absolute"
    if not _NO_NAMES.isdisjoint(parts):
        return "its name leads out of the wheel or is not in normal form"
    return None


def _entry_problem(entry: zipfile.ZipInfo, limits: Limits) -> str | None:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if entry.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a symbolic link" if kind == stat.S_IFLNK else "is a special file"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"is packed by method {entry.compress_type}; installers know stored (0) and deflated (8)"
    if entry.file_size > limits.member_bytes:
        return f"unpacks to {entry.file_size} bytes; more than {limits.member_bytes} are not taken"
    if entry.file_size > limits.ratio_from and entry.file_size > limits.ratio * max(entry.compress_size, 1):
        return f"unpacks from {entry.compress_size} to {entry.file_size} bytes: a zip bomb"
    if entry.is_dir() and entry.file_size:
        return "is a directory with contents"
    return None


def _shown(name: str) -> str:
    return ascii(name)[1:-1][:200]
