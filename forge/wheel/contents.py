"""Reading a wheel: its files, METADATA, WHEEL, RECORD (PEP 427, the binary distribution format)."""

from __future__ import annotations

import contextlib
import email
from dataclasses import dataclass
from email.parser import HeaderParser
from typing import TYPE_CHECKING

from packaging.tags import Tag, parse_tag
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from forge.base.errors import WheelError
from forge.wheel.archive import Limits, Member, open_archive, read_member
from forge.wheel.extension import ExtensionFile, parse_extension
from forge.wheel.name import WheelName, parse_wheel_name
from forge.wheel.native import NATIVE_TREE
from forge.wheel.record import RecordEntry, RecordProblem, parse_record, verify_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from email.message import Message
    from pathlib import Path
    from zipfile import ZipFile


_HEADERS = HeaderParser()

_REQUIRED = ("METADATA", "WHEEL", "RECORD")
"""What each wheel has in its dist-info directory."""


@dataclass(frozen=True)
class WheelMetadata:
    """What METADATA says (core metadata), as far as forge asks.

    Args:
        name: Name, as it stands.
        version: Version, as it stands.
        metadata_version: Metadata-Version.
        requires_python: Requires-Python, or None.
        requires_dist: Requires-Dist, in order.
        summary: Summary, or an empty string.
        license: License-Expression, else License, which is any text, else an empty string.
    """

    name: str
    version: str
    metadata_version: str
    requires_python: str | None
    requires_dist: tuple[str, ...]
    summary: str
    license: str


@dataclass(frozen=True)
class WheelFile:
    """What the file WHEEL says.

    Args:
        wheel_version: Wheel-Version, e.g. ``1.0``.
        generator: Generator, or None.
        root_is_purelib: Root-Is-Purelib.
        tags: The Tag lines, taken apart.
        build: Build, or empty.
    """

    wheel_version: str
    generator: str | None
    root_is_purelib: bool
    tags: frozenset[Tag]
    build: str


@dataclass(frozen=True)
class WheelContents:
    """A wheel as read.

    Args:
        path: The file.
        name: What its name says.
        members: Its files, sorted by path.
        dist_info: The dist-info directory's name, without a slash.
        metadata: METADATA.
        wheel: WHEEL.
        record: RECORD's lines.
        record_problems: Where RECORD and the files disagree; empty in a sound wheel.
    """

    path: Path
    name: WheelName
    members: tuple[Member, ...]
    dist_info: str
    metadata: WheelMetadata
    wheel: WheelFile
    record: tuple[RecordEntry, ...]
    record_problems: tuple[RecordProblem, ...]

    @property
    def is_native_library(self) -> bool:
        """Whether it holds a native library for builds, and nothing that Python imports."""
        return holds_native_library([member.path for member in self.members], self.dist_info)

    @property
    def extensions(self) -> tuple[ExtensionFile, ...]:
        """Its ``.so`` files, sorted by path."""
        found = (parse_extension(member.path) for member in self.members)
        return tuple(extension for extension in found if extension is not None)

    def read(self, member: str) -> bytes:
        """A member's bytes.

        Raises:
            WheelError: There is none of that path, or it cannot be unpacked.
        """
        with open_archive(self.path) as (archive, _):
            return read_member(archive, member, self.path.name)

    def read_all(self) -> Iterator[tuple[str, bytes]]:
        """Every member's path and bytes, one at a time, sorted by path.

        Raises:
            WheelError: One cannot be unpacked.
        """
        with open_archive(self.path) as (archive, members):
            for member in members:
                yield member.path, read_member(archive, member.path, self.path.name)


@dataclass(frozen=True)
class OpenWheel:
    """A wheel that is open for reading.

    Args:
        name: What its name says.
        members: Its files, sorted by path.
        dist_info: The dist-info directory's name, without a slash.
        archive: The zip file.
    """

    name: WheelName
    members: tuple[Member, ...]
    dist_info: str
    archive: ZipFile

    def read(self, member: str) -> bytes:
        """A member's bytes.

        Raises:
            WheelError: There is none of that path, or it cannot be unpacked.
        """
        return read_member(self.archive, member, self.name.filename)

    def read_info(self, file: str) -> bytes:
        """The bytes of a file in the dist-info directory, e.g. ``METADATA``.

        Raises:
            WheelError: As for `read`.
        """
        return self.read(f"{self.dist_info}/{file}")


@contextlib.contextmanager
def open_wheel(path: Path, *, limits: Limits | None = None) -> Iterator[OpenWheel]:
    """Open a wheel, to read some of its files.

    Args:
        path: The wheel.
        limits: What is still taken for an honest archive.

    Raises:
        WheelError: Its name is no wheel's, it is no sound zip file, a member is unsafe, or its dist-info is missing,
            incomplete, or of another project or version.
    """
    name = parse_wheel_name(path.name)
    with open_archive(path, limits) as (archive, members):
        paths = [member.path for member in members]
        dist_info = find_dist_info(paths, name)
        for file in _REQUIRED:
            if f"{dist_info}/{file}" not in paths:
                raise WheelError(f"{path.name}: {dist_info}/{file} is missing")
        yield OpenWheel(name, members, dist_info, archive)


def read_wheel(path: Path, *, limits: Limits | None = None) -> WheelContents:
    """Read a wheel and compare RECORD with every file.

    Args:
        path: The wheel.
        limits: What is still taken for an honest archive.

    Raises:
        WheelError: As for `open_wheel`; or a member cannot be unpacked, or METADATA, WHEEL or RECORD is malformed. A
            RECORD that only disagrees with the files is not an error but `WheelContents.record_problems`.
    """
    with open_wheel(path, limits=limits) as wheel:
        metadata = parse_metadata(wheel.read_info("METADATA"), path.name)
        file = parse_wheel_file(wheel.read_info("WHEEL"), path.name)
        record_path = f"{wheel.dist_info}/RECORD"
        try:
            record = parse_record(wheel.read_info("RECORD"))
        except ValueError as error:
            raise WheelError(f"{path.name}: {record_path}: malformed: {error}") from error
        problems = verify_record(record, [member.path for member in wheel.members], record_path, wheel.read)
    return WheelContents(path, wheel.name, wheel.members, wheel.dist_info, metadata, file, record, problems)


def read_metadata(path: Path) -> WheelMetadata:
    """A wheel's METADATA alone: quick, for wheels that are known to be sound.

    Args:
        path: The wheel.

    Raises:
        WheelError: As for `open_wheel`; or METADATA is malformed.
    """
    with open_wheel(path) as wheel:
        return parse_metadata(wheel.read_info("METADATA"), path.name)


def holds_native_library(paths: Iterable[str], dist_info: str) -> bool:
    """Whether a wheel holds a native library for builds, and nothing that Python imports.

    Args:
        paths: The files' paths.
        dist_info: The dist-info directory's name.
    """
    rest = [path for path in paths if not path.startswith(f"{dist_info}/")]
    return bool(rest) and all(path.startswith(f"{NATIVE_TREE}/") for path in rest)


def find_dist_info(paths: list[str], name: WheelName | None = None, *, what: str | None = None) -> str:
    """The name of the one dist-info directory.

    Args:
        paths: The files' paths.
        name: What the wheel's name says; the directory must be of that project and version.
        what: What errors call the wheel; the file name by default.

    Raises:
        WheelError: There is none, more than one, or another project's.
    """
    label = what or (name.filename if name else "wheel")
    tops = {path.partition("/")[0] for path in paths if ".dist-info/" in path}
    found = sorted(top for top in tops if top.endswith(".dist-info"))
    if len(found) != 1:
        said = f"{len(found)} dist-info directories ({', '.join(found)})" if found else "no dist-info directory"
        raise WheelError(f"{label}: {said}; a wheel has exactly one")
    directory = found[0]
    distribution, _, version = directory.removesuffix(".dist-info").rpartition("-")
    if name is not None and not _is_of(distribution, version, name):
        raise WheelError(f"{label}: its dist-info directory is {directory}, of another project or version")
    return directory


def _is_of(distribution: str, version: str, name: WheelName) -> bool:
    """Whether a dist-info directory's project and version are those of a wheel's name."""
    if canonicalize_name(distribution) != name.canonical_distribution:
        return False
    return version == str(name.version) or same_version(version, str(name.version))


def same_version(one: str, other: str) -> bool:
    """Whether two versions are equal under PEP 440, e.g. ``1.0`` and ``1.0.0``; unequal where one is none."""
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return False


def parse_wheel_file(data: bytes, wheel: str) -> WheelFile:
    """Read the file WHEEL.

    Args:
        data: Its bytes.
        wheel: The wheel's name, for errors.

    Raises:
        WheelError: It is of a format later than 1.x, or malformed.
    """
    message = email.message_from_string(data.decode("utf-8", errors="replace"))
    version = str(message.get("Wheel-Version", "")).strip()
    if version.split(".")[0] != "1":
        raise WheelError(f"{wheel}: WHEEL: Wheel-Version is {version or 'missing'}; forge reads 1.x")
    tags: set[Tag] = set()
    for line in message.get_all("Tag", []):
        text = str(line).strip()
        if text.count("-") != 2:
            raise WheelError(f"{wheel}: WHEEL: {text!r} is not a tag", hint="expected python-abi-platform")
        tags |= parse_tag(text)
    generator = message.get("Generator")
    return WheelFile(
        wheel_version=version,
        generator=None if generator is None else str(generator),
        root_is_purelib=str(message.get("Root-Is-Purelib", "")).strip().lower() == "true",
        tags=frozenset(tags),
        build=str(message.get("Build", "")).strip(),
    )


def parse_metadata(data: bytes, wheel: str) -> WheelMetadata:
    """Read METADATA.

    Args:
        data: Its bytes.
        wheel: The wheel's name, for errors.

    Raises:
        WheelError: It has no name or version, or has one twice.
    """
    # packaging.metadata reads every field, several times; an index of thousands of wheels asks for seven, of each.
    message = _HEADERS.parsestr(data.decode("utf-8", errors="replace"))
    name, version = _once(message, "Name"), _once(message, "Version")
    if name is None or version is None:
        raise WheelError(f"{wheel}: METADATA has no {'Name' if name is None else 'Version'}, or has it twice")
    return WheelMetadata(
        name=name,
        version=version,
        metadata_version=_once(message, "Metadata-Version") or "",
        requires_python=_once(message, "Requires-Python"),
        requires_dist=tuple(message.get_all("Requires-Dist", [])),
        summary=_once(message, "Summary") or "",
        license=_once(message, "License-Expression") or _once(message, "License") or "",
    )


def _once(message: Message, field: str) -> str | None:
    """A field's value; None where the field is missing or, against the specification, there twice."""
    values: list[str] = message.get_all(field, [])
    return values[0] if len(values) == 1 else None
