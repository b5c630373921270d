"""What the bytes of a wheel's files are and name: programs of other systems, OpenSSL, paths of build machines."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.audit.policy import build_paths
from forge.wheel.app_rules import foreign_program
from forge.wheel.openssl import openssl_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.macho.model import MachOFile

__all__ = ["Leak", "find_leaks", "foreign_program", "guess_leaks", "openssl_version"]

_NAME_BYTES = frozenset(bytes([b]) for b in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
_LONGEST_SHOWN = 200
_NOT_CODE = frozenset({"__LINKEDIT", "__DWARF"})


@dataclass(frozen=True)
class Leak:
    """A path of the build machine in a file.

    Args:
        member: The file.
        text: The string that holds it.
        place: ``load command``, ``binary`` or ``file``.
        count: How often it is there.
        guessed: Whether it only looks like one.
    """

    member: str
    text: str
    place: str
    count: int
    guessed: bool = False


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
    commands = _load_commands(binary)
    for prefix in prefixes:
        wanted = prefix.rstrip("/").encode("utf-8", errors="surrogateescape")
        at = data.find(wanted) if wanted else -1
        while at >= 0:
            end = at + len(wanted)
            if data[end : end + 1] not in _NAME_BYTES:
                place = "file"
                if binary:
                    place = "load command" if _is_in(at, commands) else "binary"
                text, count = found.get((prefix, place), (_string_around(data, at), 0))
                found[prefix, place] = (text, count + 1)
            at = data.find(wanted, end)
    return [Leak(member, text, place, count) for (_, place), (text, count) in found.items()]


def guess_leaks(member: str, data: bytes, binary: MachOFile) -> list[Leak]:
    """Where the code or data of a binary names what looks like a directory of a build machine.

    Load commands, symbols and debug information are left out: they have checks of their own.

    Returns:
        At most one, with the first string found.
    """
    commands = _load_commands(binary)
    loaded = [
        (one.offset + segment.file_offset, one.offset + segment.file_offset + segment.file_size)
        for one in binary.slices
        for segment in one.segments
        if segment.name not in _NOT_CODE
    ]
    places = [at for at in _guessed(data) if _is_in(at, loaded) and not _is_in(at, commands)]
    return [Leak(member, _string_around(data, places[0]), "binary", len(places), guessed=True)] if places else []


def _guessed(data: bytes) -> Iterator[int]:
    return (found.start() for found in _build_path_pattern().finditer(data))


@functools.cache
def _build_path_pattern() -> re.Pattern[bytes]:
    starts = b"|".join(re.escape(start.encode("ascii")) for start in build_paths())
    # A string's start, a part of a path, and a slash after it: "/home/" alone, or a URL's path, is no one's directory.
    return re.compile(rb"(?:(?<=[\0 '\"=:])|\A)(?:" + starts + rb")[\w.+-]{1,64}/[\w.+-]")


def _load_commands(binary: MachOFile | None) -> list[tuple[int, int]]:
    return [(one.offset, one.offset + one.commands_end) for one in binary.slices] if binary else []


def _is_in(at: int, ranges: list[tuple[int, int]]) -> bool:
    return any(start <= at < stop for start, stop in ranges)


def _string_around(data: bytes, at: int) -> str:
    """The run of printable ASCII from *at*."""
    end = at
    while end < len(data) and end - at < _LONGEST_SHOWN and 0x20 < data[end] < 0x7F and data[end] not in b"\"'<>|":
        end += 1
    return data[at:end].decode("ascii", errors="backslashreplace")
