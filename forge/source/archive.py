"""Unpacking archives of strangers: nothing lands outside, nothing is followed, nothing grows without end.

The rules are those of tarfile's ``data`` filter (PEP 706) and stricter; they do not rest on it, because it
differs between Python's patch releases and there is none for zip. Times are kept: Make decides by them
whether to run autoconf again. Owners and write protection are not.
"""

from __future__ import annotations

import lzma
import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from forge.base.atomic import atomic_directory, storage_error
from forge.base.errors import SourceError
from forge.source.members import Kind, Member, members

if TYPE_CHECKING:
    from collections.abc import Iterable

_CHUNK = 1024 * 1024
_DEEPEST = 100
"""How deep directories may nest: what removes a tree recurses, and no project needs more than a dozen."""
_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,  # zipfile's for an unknown compression
    RuntimeError,  # zipfile's for an encrypted member
    ValueError,
    OverflowError,
)


@dataclass(frozen=True)
class Limits:
    """How much of an archive is unpacked, and what it may unpack to.

    Args:
        total_bytes: Of all files.
        members: Files, directories and links.
        inside: Unpack this directory alone, e.g. ``Include``, be it below a top directory or not; empty for everything.
    """

    total_bytes: int = 8 * 1024**3
    members: int = 500_000
    inside: str = ""

    def want(self, parts: tuple[str, ...]) -> bool:
        """Whether a member, by the parts of its path, is to be unpacked."""
        directory = tuple(self.inside.split("/")) if self.inside else ()
        return any(parts[start : start + len(directory)] == directory for start in (0, 1))


def unpack(archive: Path, destination: Path, limits: Limits | None = None) -> None:
    """Unpack a tar or zip file; *destination* is there whole or not at all, and is replaced if it exists.

    If everything is in one top directory, that directory becomes *destination*.

    Args:
        archive: The file.
        destination: The directory to make.
        limits: How much it may unpack to.

    Raises:
        SourceError: It is damaged or unsafe, or not an archive.
        StorageError: The disk is full, or may not be written.
    """
    with atomic_directory(destination) as temporary:
        unpack_into(archive, temporary, limits)


def unpack_into(archive: Path, directory: Path, limits: Limits | None = None) -> None:
    """Unpack a tar or zip file into an empty directory that exists; see `unpack`.

    Raises:
        SourceError: It is damaged or unsafe, or not an archive.
        StorageError: The disk is full, or may not be written.
    """
    inner = Path(tempfile.mkdtemp(prefix=".forge-unpack.", dir=directory))
    try:
        with members(archive) as found:
            _Unpacking(archive.name, inner, limits or Limits()).run(found)
        _lift(inner, directory)
        _check_links(archive.name, directory)
    except _DAMAGE as error:
        raise SourceError(
            f"{archive.name} is damaged or not an archive: {str(error) or type(error).__name__}",
            hint="if its sha256 is right, it was published so: name another source",
        ) from error
    except OSError as error:
        raise storage_error(error) or SourceError(f"cannot unpack {archive.name}: {error.strerror or error}") from error


class _Unpacking:
    """One archive on its way into a directory."""

    def __init__(self, name: str, root: Path, limits: Limits) -> None:
        self.name = name
        self.root = root
        self.limits = limits
        self.bytes_left = limits.total_bytes
        self.directories: dict[tuple[str, ...], Path] = {}
        self.directory_times: list[tuple[Path, float]] = []

    def run(self, found: Iterable[Member]) -> None:
        for count, member in enumerate(found, start=1):
            if count > self.limits.members:
                raise self.unsafe(f"it has more than {self.limits.members:,} members")
            self.extract(member)
        if next(self.root.iterdir(), None) is None:
            inside = self.limits.inside
            raise SourceError(f"{self.name} does not contain {inside}" if inside else f"{self.name} is empty")
        for path, mtime in reversed(self.directory_times):
            if path.is_dir() and not path.is_symlink():
                os.utime(path, (mtime, mtime))

    def extract(self, member: Member) -> None:
        parts = self.parts(member.name)
        if not parts or not self.limits.want(parts):  # './' itself, or of no use
            return
        path = self.parent(parts, member.name) / parts[-1]
        match member.kind:
            case Kind.DIRECTORY:
                if path.is_symlink() or (path.exists() and not path.is_dir()):
                    raise self.unsafe(f"{member.name!r} is a directory and something else")
                path.mkdir(exist_ok=True)
                self.directory_times.append((path, member.mtime))
            case Kind.FILE:
                self.make_room(path, member.name)
                self.write(member, path)
            case Kind.SYMLINK:
                if not member.link or member.link.startswith("/") or "\0" in member.link:
                    raise self.unsafe(f"the link {member.name!r} points to {member.link!r}")
                self.make_room(path, member.name)
                path.symlink_to(member.link)
            case Kind.HARDLINK:
                target_parts = self.parts(member.link)
                target = self.parent(target_parts, member.link) / target_parts[-1] if target_parts else self.root
                if target.is_symlink() or not target.is_file() or target == path:
                    raise self.unsafe(
                        f"the hard link {member.name!r} points to {member.link!r}, which is not a file in it"
                    )
                self.make_room(path, member.name)
                self.spend(target.stat().st_size)
                shutil.copy2(target, path)  # a copy: a patch to one name must not change the other
            case Kind.OTHER:
                raise self.unsafe(f"{member.name!r} is a device or another special file")

    def parts(self, name: str) -> tuple[str, ...]:
        """A member's path below the root."""
        pure = PurePosixPath(name)
        if not name or pure.is_absolute() or ".." in pure.parts or "\0" in name:
            raise self.unsafe(f"{name!r} is outside it")
        if len(pure.parts) > _DEEPEST:
            raise self.unsafe(f"its directories nest more than {_DEEPEST} deep")
        return pure.parts

    def parent(self, parts: tuple[str, ...], name: str) -> Path:
        """The directory a member goes into, made if need be; never through a symbolic link."""
        known = self.directories.get(parts[:-1])
        if known:  # still a directory: nothing here takes one away
            return known
        directory = self.root
        for part in parts[:-1]:
            directory /= part
            if directory.is_symlink() or (directory.exists() and not directory.is_dir()):
                raise self.unsafe(f"{name!r} goes through {part!r}, which is a link or a file")
            directory.mkdir(exist_ok=True)
        self.directories[parts[:-1]] = directory
        return directory

    def make_room(self, path: Path, name: str) -> None:
        """Take away what an earlier member put there: tar's rule is that the last one counts."""
        if path.is_symlink() or path.is_file():
            path.unlink()
        elif path.exists():
            raise self.unsafe(f"{name!r} is a directory and something else")

    def write(self, member: Member, path: Path) -> None:
        written = 0
        with member.open() as source, path.open("xb") as out:
            while chunk := source.read(_CHUNK):
                self.spend(len(chunk))
                written += len(chunk)
                out.write(chunk)
        if written != member.size:
            raise SourceError(f"{self.name} is damaged: {member.name!r} has {written:,} of {member.size:,} bytes")
        path.chmod(0o755 if member.executable else 0o644)
        os.utime(path, (member.mtime, member.mtime))

    def spend(self, size: int) -> None:
        self.bytes_left -= size
        if self.bytes_left < 0:
            raise self.unsafe(f"it unpacks to more than {self.limits.total_bytes:,} bytes")

    def unsafe(self, why: str) -> SourceError:
        return SourceError(f"{self.name} is not safe to unpack: {why}", hint="nothing of it was kept")


def _lift(inner: Path, directory: Path) -> None:
    """Move what was unpacked up to *directory*, without its top directory if it has but one."""
    entries = list(inner.iterdir())
    top = entries[0] if len(entries) == 1 and entries[0].is_dir() and not entries[0].is_symlink() else inner
    for entry in list(top.iterdir()):
        entry.rename(directory / entry.name)
    shutil.rmtree(inner)


def _check_links(name: str, root: Path) -> None:
    """No symbolic link may lead outside.

    This can only be said of the finished tree: a target that looks harmless may go through another link.
    """
    real_root = Path(os.path.realpath(root))
    for directory, subdirectories, files in os.walk(root):
        for entry in (*subdirectories, *files):
            path = Path(directory, entry)
            if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(real_root):
                link = path.relative_to(root).as_posix()
                raise SourceError(
                    f"{name} is not safe to unpack: the link {link!r} leads out of it",
                    hint="nothing of it was kept",
                )
