"""Unpacking wheels, and packing them so that the same files give the same bytes.

The same bytes need the same zlib too: another implementation of deflate (zlib-ng) packs otherwise.
"""

from __future__ import annotations

import re
import stat
import tempfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.atomic import atomic_directory, atomic_file, storage_error
from forge.base.errors import WheelError
from forge.wheel.archive import open_archive, read_member
from forge.wheel.contents import find_dist_info, parse_wheel_file
from forge.wheel.name import compress_tags, parse_wheel_name
from forge.wheel.record import SIGNATURES, format_record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.tags import Tag


_LEVEL = 6
"""Deflate's own default: 9 takes three times as long for one per cent."""

_FIRST_YEAR = 315532800
_LAST_YEAR = 4354819198
"""Zip's time stamps reach from 1980-01-01 to 2107-12-31, in seconds of the Unix epoch."""

_TAG_LINE = re.compile(rb"^Tag:[^\n]*\n", flags=re.MULTILINE | re.IGNORECASE)
_PURELIB_LINE = re.compile(rb"^Root-Is-Purelib:[^\n]*\n", flags=re.MULTILINE | re.IGNORECASE)


def unpack_wheel(wheel: Path, destination: Path) -> None:
    """Unpack a wheel in one step; an existing *destination* is replaced.

    Modes become 0644, or 0755 where the wheel marks a file as executable.

    Raises:
        WheelError: The wheel is not safe or not sound; nothing is left behind.
    """
    with open_archive(wheel) as (archive, members), atomic_directory(destination) as temporary:
        for member in members:
            target = temporary / member.path
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(read_member(archive, member.path, wheel.name))
                target.chmod(0o755 if member.executable else 0o644)
            except OSError as error:
                if storage_error(error):
                    raise
                raise WheelError(f"{wheel.name}: {member.path[:200]}: cannot be written: {error.strerror}") from error


def pack_wheel(
    tree: Path, directory: Path, *, source_date_epoch: int, tags: Iterable[Tag] | None = None, compress: bool = True
) -> Path:
    """Pack a directory as a wheel, in one step; RECORD is made anew.

    Files are sorted, the dist-info directory last and RECORD at its end (the format recommends it); time
    stamps are *source_date_epoch*, modes 0644 or 0755, compression always the same. Signatures of RECORD are
    left out: they are of the old one. Empty directories are left out.

    Args:
        tree: An unpacked wheel.
        directory: Where the wheel goes; its name comes from the dist-info directory and WHEEL.
        source_date_epoch: Seconds of the Unix epoch, as SOURCE_DATE_EPOCH has them; clamped to zip's years.
        tags: New tags to write to WHEEL; None keeps it as it stands.
        compress: False stores the files as they are, for a wheel that is only a step on the way.

    Returns:
        The wheel's path.

    Raises:
        WheelError: The tree is no wheel's, or has links or special files.
    """
    paths = _files(tree)
    dist_info = find_dist_info(paths, what=tree.name)
    wheel_path, record = f"{dist_info}/WHEEL", f"{dist_info}/RECORD"
    for required in (wheel_path, f"{dist_info}/METADATA"):
        if required not in paths:
            raise WheelError(f"{tree.name}: {required} is missing")
    wheel_bytes = (tree / wheel_path).read_bytes()
    if tags is not None:
        wheel_bytes = rewrite_tags(wheel_bytes, tags)
    wheel_file = parse_wheel_file(wheel_bytes, tree.name)
    build = f"-{wheel_file.build}" if wheel_file.build else ""
    filename = f"{dist_info.removesuffix('.dist-info')}{build}-{compress_tags(wheel_file.tags)}.whl"
    find_dist_info(paths, parse_wheel_name(filename))

    dropped = {record, *(f"{dist_info}/{name}" for name in SIGNATURES)}
    ordered = sorted((p for p in paths if p not in dropped), key=lambda p: (p.startswith(f"{dist_info}/"), p))
    moment = time.gmtime(min(max(source_date_epoch, _FIRST_YEAR), _LAST_YEAR))[:6]
    destination = directory / filename

    def read(path: str) -> bytes:
        return wheel_bytes if path == wheel_path else (tree / path).read_bytes()

    # Files are read one at a time, twice: a wheel may be larger than the memory.
    record_bytes = format_record(((path, read(path)) for path in ordered), record)
    with atomic_file(destination) as file, zipfile.ZipFile(file, "w") as archive:
        for path in (*ordered, record):
            data = record_bytes if path == record else read(path)
            executable = path != record and (tree / path).stat().st_mode & 0o100
            entry = zipfile.ZipInfo(path, moment)
            entry.create_system = 3  # Unix, whatever this runs on: the modes below are its
            entry.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
            method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
            archive.writestr(entry, data, compress_type=method, compresslevel=_LEVEL)
    return destination


def repack(wheel: Path, directory: Path, *, source_date_epoch: int, tags: Iterable[Tag] | None = None) -> Path:
    """Unpack a wheel and pack it again as `pack_wheel` does.

    Args:
        wheel: The wheel; it stays as it is unless the new one takes its place.
        directory: Where the new one goes.
        source_date_epoch: Seconds of the Unix epoch.
        tags: New tags, or None to keep them.

    Returns:
        The new wheel's path.

    Raises:
        WheelError: The wheel cannot be read, or is not safe.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".repack.", dir=directory) as temporary:
        tree = Path(temporary) / wheel.name
        unpack_wheel(wheel, tree)
        return pack_wheel(tree, directory, source_date_epoch=source_date_epoch, tags=tags)


def rewrite_tags(wheel_file: bytes, tags: Iterable[Tag]) -> bytes:
    """The file WHEEL with *tags*, sorted, in place of its Tag lines; the rest stays."""
    data = wheel_file.replace(b"\r\n", b"\n")
    if not data.endswith(b"\n"):
        data += b"\n"
    lines = b"".join(f"Tag: {tag}\n".encode("ascii") for tag in sorted(map(str, tags)))
    place = _TAG_LINE.search(data) or _PURELIB_LINE.search(data)
    at = len(data.rstrip(b"\n")) + 1 if place is None else place.start() if place.re is _TAG_LINE else place.end()
    return _TAG_LINE.sub(b"", data[:at]) + lines + _TAG_LINE.sub(b"", data[at:])


def _files(tree: Path) -> list[str]:
    found: list[str] = []
    for path in sorted(tree.rglob("*")):
        relative = path.relative_to(tree).as_posix()
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            found.append(relative)
        elif not stat.S_ISDIR(mode):
            kind = "a symbolic link" if stat.S_ISLNK(mode) else "a special file"
            raise WheelError(f"{tree.name}: {relative} is {kind}, which no wheel can hold")
    if not found:
        raise WheelError(f"{tree.name}: no files to pack")
    return found
