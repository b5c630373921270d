"""What checks look at: a wheel, read once, with its Mach-O files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.macho.errors import MachOError
from forge.macho.formats import describe_format, looks_like_macho
from forge.macho.reader import read_macho
from forge.wheel.contents import WheelContents, read_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from forge.base.target import Target
    from forge.macho.model import MachOFile

_STATIC_ARCHIVE = b"!<arch>\n"


@dataclass(frozen=True)
class Promise:
    """What a recipe says its wheel will be.

    Args:
        name: The project's name, in any spelling that PEP 503 holds for the same.
        version: Its version.
        target: What it is built for.
        python: The Python tag, e.g. ``cp313``.
        native: Whether it holds code for the target.
        extensions: Dotted names of the extension modules it must have.
        forbidden_prefixes: Directories of the build machine that must not be named in it, e.g. the build's.
    """

    name: str
    version: str
    target: Target
    python: str
    native: bool
    extensions: tuple[str, ...] = ()
    forbidden_prefixes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Leak:
    """A path of the build machine in a file.

    Args:
        member: The file.
        text: The string that holds it.
        place: ``load command``, ``binary`` or ``file``.
        count: How often it is there.
    """

    member: str
    text: str
    place: str
    count: int


@dataclass(frozen=True)
class Subject:
    """A wheel, read.

    Args:
        contents: The wheel.
        binaries: Its Mach-O files that can be read, by path.
        broken: Why the other Mach-O files cannot, by path.
        formats: What the ``.so`` and ``.dylib`` files that are no Mach-O are instead, by path.
        archives: Paths of static archives.
        leaks: Paths of the build machine.
    """

    contents: WheelContents
    binaries: Mapping[str, MachOFile]
    broken: Mapping[str, str]
    formats: Mapping[str, str]
    archives: tuple[str, ...]
    leaks: tuple[Leak, ...]

    @property
    def is_native(self) -> bool:
        """Whether it holds anything compiled."""
        return bool(self.binaries or self.broken or self.formats or self.archives)


def read_subject(wheel: Path, forbidden_prefixes: tuple[str, ...] = ()) -> Subject:
    """Read a wheel and every Mach-O file in it.

    Args:
        wheel: The wheel.
        forbidden_prefixes: Directories to look for in each file.

    Raises:
        WheelError: The wheel cannot be read; a broken Mach-O file in it is no error here.
    """
    contents = read_wheel(wheel)
    binaries: dict[str, MachOFile] = {}
    broken: dict[str, str] = {}
    formats: dict[str, str] = {}
    archives: list[str] = []
    leaks: list[Leak] = []
    for member, data in contents.read_all():
        if looks_like_macho(data[:8]):
            try:
                binaries[member] = read_macho(data)
            except MachOError as error:
                broken[member] = error.problem
        elif member.endswith((".so", ".dylib")):
            formats[member] = describe_format(data[:8])
        elif data.startswith(_STATIC_ARCHIVE):
            archives.append(member)
        leaks += find_leaks(member, data, forbidden_prefixes, binaries.get(member))
    return Subject(contents, binaries, broken, formats, tuple(archives), tuple(leaks))


def find_leaks(member: str, data: bytes, prefixes: tuple[str, ...], binary: MachOFile | None) -> list[Leak]:
    """Where a file names a directory of the build machine.

    Args:
        member: The file's path in the wheel.
        data: Its bytes.
        prefixes: Directories; a name that only starts with the same letters does not count.
        binary: The file as read, if it is Mach-O.

    Returns:
        At most one for each prefix and place, with the first string found.
    """
    found: dict[tuple[str, str], tuple[str, int]] = {}
    commands = [(one.offset, one.offset + one.commands_end) for one in binary.slices] if binary else []
    for prefix in prefixes:
        wanted = prefix.rstrip("/").encode("utf-8", errors="surrogateescape")
        at = data.find(wanted) if wanted else -1
        while at >= 0:
            end = at + len(wanted)
            if data[end : end + 1] not in _NAME_BYTES:
                place = "file"
                if binary:
                    place = "load command" if any(start <= at < stop for start, stop in commands) else "binary"
                text, count = found.get((prefix, place), (_string_around(data, at), 0))
                found[prefix, place] = (text, count + 1)
            at = data.find(wanted, end)
    return [Leak(member, text, place, count) for (_, place), (text, count) in found.items()]


_NAME_BYTES = frozenset(bytes([b]) for b in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
_LONGEST_SHOWN = 200


def _string_around(data: bytes, at: int) -> str:
    """The run of printable ASCII from *at*."""
    end = at
    while end < len(data) and end - at < _LONGEST_SHOWN and 0x20 < data[end] < 0x7F and data[end] not in b"\"'<>|":
        end += 1
    return data[at:end].decode("ascii", errors="backslashreplace")
