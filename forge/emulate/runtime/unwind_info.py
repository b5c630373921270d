"""The section ``__unwind_info``: functions' compact encodings in two levels (``mach-o/compact_unwind_encoding.h``)."""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from forge.emulate.runtime import compact
from forge.emulate.runtime.errors import MachOImportError
from forge.emulate.runtime.unwind_model import Frame, Rules

if TYPE_CHECKING:
    from collections.abc import Callable

_REGULAR_PAGE, _COMPRESSED_PAGE = 2, 3
_MAX_ENTRIES: Final = 1 << 24


@dataclass(frozen=True, slots=True)
class Entry:
    """A function, or several in a row with one encoding.

    Args:
        at: Offset in the image.
        encoding: The compact encoding.
    """

    at: int
    encoding: int


@dataclass(frozen=True, slots=True)
class UnwindInfo:
    """The section.

    Args:
        entries: In order of address; the last one only ends the one before.
        personalities: Where in the image pointers to personality functions are.
        lsdas: Offset of the language-specific data by a function's offset.
    """

    entries: tuple[Entry, ...]
    personalities: tuple[int, ...]
    lsdas: dict[int, int]


def read_unwind_info(table: bytes) -> UnwindInfo:
    """Read the section.

    Args:
        table: Its bytes.

    Raises:
        MachOImportError: A part is cut off or of an unknown kind.
    """
    version, encodings_at, encodings, personalities_at, personalities, index_at, count = _unpack("<7I", table, 0)
    if version != 1:
        raise MachOImportError(f"malformed unwind info, version {version}")
    common = _unpack(f"<{_bounded(table, encodings, 4)}I", table, encodings_at)
    pointers = _unpack(f"<{_bounded(table, personalities, 4)}I", table, personalities_at)
    numbers = _unpack(f"<{3 * _bounded(table, count, 12)}I", table, index_at)
    index = [numbers[i : i + 3] for i in range(0, len(numbers), 3)]
    if not index:
        return UnwindInfo((), pointers, {})
    found: list[Entry] = []
    for start, page, _ in index[:-1]:
        if page:
            found.extend(_page(table, page, start, common))
        if len(found) > _MAX_ENTRIES:
            raise MachOImportError("malformed unwind info, too many entries")
    found.append(Entry(index[-1][0], 0))
    first, last = index[0][2], index[-1][2]
    if not first <= last <= len(table) or (last - first) % 8:
        raise MachOImportError("malformed unwind info, the list of LSDAs is cut off")
    return UnwindInfo(tuple(found), pointers, dict(struct.iter_unpack("<II", table[first:last])))


def _page(table: bytes, at: int, start: int, common: tuple[int, ...]) -> list[Entry]:
    (kind,) = _unpack("<I", table, at)
    if kind == _REGULAR_PAGE:
        entries, count = _unpack("<HH", table, at + 4)
        rows = _unpack(f"<{2 * count}I", table, at + entries)
        return [Entry(rows[i], rows[i + 1]) for i in range(0, len(rows), 2)]
    if kind != _COMPRESSED_PAGE:
        raise MachOImportError(f"malformed unwind info, unknown kind of page {kind}")
    entries, count, own_at, own_count = _unpack("<4H", table, at + 4)
    encodings = common + _unpack(f"<{own_count}I", table, at + own_at)
    try:
        return [
            Entry(start + (row & 0xFFFFFF), encodings[row >> 24]) for row in _unpack(f"<{count}I", table, at + entries)
        ]
    except IndexError:
        raise MachOImportError("malformed unwind info, no such encoding") from None


def compact_frames(info: UnwindInfo, cpu_type: int, read_code: Callable[[int], int]) -> list[Frame]:
    """Frames from compact encodings, without those that ``__eh_frame`` describes.

    Args:
        info: The section.
        cpu_type: ``CPU_*``.
        read_code: The 32-bit number at an offset in the image's code.

    Raises:
        MachOImportError: An encoding makes no sense, or names a personality that is not there.
    """
    initial, return_register = compact.initial_instructions(cpu_type)
    known: dict[int, tuple[Rules, bytes] | None] = {}
    frames: list[Frame] = []
    lsdas = info.lsdas
    entries = info.entries
    for entry, following in itertools.pairwise(entries):
        encoding, at = entry.encoding, entry.at
        if encoding in known:
            made = known[encoding]
        else:
            instructions = compact.decode(cpu_type, encoding, lambda offset, at=at: read_code(at + offset))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
            made = None
            if instructions is not None:
                made = Rules(_personality(info, encoding), initial, 1, -8, return_register), instructions
            # A large frame's size stands in the code of each function.
            if encoding >> 24 & 0xF != 3:
                known[encoding] = made
        if made is None or following.at <= at:
            continue
        lsda = lsdas.get(at) if encoding & compact.HAS_LSDA else None
        frames.append(Frame(made[0], at, following.at - at, lsda, made[1]))
    return frames


def _personality(info: UnwindInfo, encoding: int) -> int | None:
    number = encoding >> 28 & 3
    if number > len(info.personalities):
        raise MachOImportError(f"malformed unwind info, personality {number} out of range")
    return info.personalities[number - 1] if number else None


def _bounded(table: bytes, count: int, size: int) -> int:
    if count * size > len(table):
        raise MachOImportError("malformed unwind info, a list is cut off")
    return count


def _unpack(layout: str, table: bytes, at: int) -> tuple[int, ...]:
    if at + struct.calcsize(layout) > len(table):
        raise MachOImportError("malformed unwind info, it is cut off")
    return struct.unpack_from(layout, table, at)
