"""Where fixups may be: inside writable segments, and no more of them than a file has room for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.emulate.runtime.constants import c_string
from forge.emulate.runtime.errors import MachOImportError
from forge.emulate.runtime.model import Import

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.emulate.runtime.model import Segment

POINTER = 8
"""Bytes of a pointer."""

_MAX_NAMES = 1 << 26
"""Bytes of all imports' names together."""


class Places:
    """Checks every place of one kind of fixup.

    Args:
        segments: The file's, by the index that opcodes use; None stands for ``__PAGEZERO``.
        file_size: Bytes: each fixup in a sound file is of eight bytes that are in the file.
        what: What the table is called in errors.
    """

    def __init__(self, segments: Sequence[Segment | None], file_size: int, what: str) -> None:
        self.segments = segments
        self.what = what
        self._left = file_size // POINTER

    def writable(self, index: int) -> tuple[int, int]:
        """Offsets in the image where a segment starts and ends.

        Raises:
            MachOImportError: There is no such segment, or it is not writable.
        """
        segment = self.segments[index] if index < len(self.segments) else None
        if segment is None:
            raise MachOImportError(f"malformed {self.what}, segment index {index} out of range")
        if not segment.writable:
            raise MachOImportError(f"malformed {self.what}, segment {segment.name} is not writable")
        return segment.at, segment.at + segment.size

    def check(self, bounds: tuple[int, int] | None, first: int, count: int = 1, stride: int = POINTER) -> None:
        """Check *count* places from *first* on, *stride* bytes apart, against a segment's bounds.

        Raises:
            MachOImportError: One is outside, or there are more than can be.
        """
        if bounds is None:
            raise MachOImportError(f"malformed {self.what}, a fixup before any segment is named")
        low, high = bounds
        if not count:
            return
        if first < low or first + (count - 1) * stride + POINTER > high:
            raise MachOImportError(f"malformed {self.what}, a fixup is outside its segment")
        self._left -= count
        if self._left < 0:
            raise MachOImportError(f"malformed {self.what}, more fixups than the file has pointers")


class Imports:
    """The imports of an image, each once, numbered as they come.

    Args:
        dependency_count: How many libraries it loads.
    """

    def __init__(self, dependency_count: int) -> None:
        self._dependencies = dependency_count
        self._indexes: dict[Import, int] = {}
        self._left = _MAX_NAMES

    def number(self, name: str, ordinal: int, weak: bool) -> int:
        """The index of an import.

        Raises:
            MachOImportError: Its library ordinal is out of range.
        """
        wanted = Import(name, ordinal, weak)
        index = self._indexes.get(wanted)
        if index is None:
            if not -3 <= ordinal <= self._dependencies:
                raise MachOImportError(
                    f"malformed bindings, library ordinal {ordinal} of {name} out of range (max {self._dependencies})"
                )
            index = self._indexes[wanted] = len(self._indexes)
        return index

    def name(self, data: bytes, at: int, what: str) -> tuple[str, int]:
        """A symbol's name in a table, and what follows it.

        Raises:
            MachOImportError: It is not terminated, or all names together are too long.
        """
        text, end = c_string(data, at, what)
        self._left -= end - at
        if self._left < 0:
            raise MachOImportError(f"malformed {what}, its names are too long")
        return text, end

    def all(self) -> tuple[Import, ...]:
        """Every import so far, by index."""
        return tuple(self._indexes)
