"""Answers that are kept in memory while what they were made from holds: rendering takes longer than sending."""

from __future__ import annotations

import gzip
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

MOST_BYTES = 64 * 1024 * 1024
"""Of all answers together; the one that was asked for least recently goes first."""

_WORTH_PACKING = 1000
_LEVEL = 6


@dataclass(frozen=True)
class Kept:
    """An answer.

    Args:
        content: Its bytes.
        packed: The same, by gzip; None for what is short.
        tag: The sha256 of the bytes.
    """

    content: bytes
    packed: bytes | None
    tag: str

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        return len(self.content) + len(self.packed or b"")


class Answers:
    """Answers by what is asked for.

    Args:
        limit: The most bytes that they take together.
    """

    def __init__(self, limit: int = MOST_BYTES) -> None:
        self._limit, self._size = limit, 0
        self._kept: OrderedDict[Hashable, tuple[tuple[object, ...], Kept]] = OrderedDict()

    def get(self, what: Hashable, made_from: tuple[object, ...], make: Callable[[], bytes]) -> Kept:
        """An answer: the one that was made of the very same objects, or a new one.

        Args:
            what: What is asked for.
            made_from: What the answer depends on.
            make: Makes it.
        """
        if (known := self._kept.get(what)) is not None:
            if all(one is other for one, other in zip(known[0], made_from, strict=True)):
                self._kept.move_to_end(what)
                return known[1]
            self._forget(what)
        content = make()
        packed = gzip.compress(content, _LEVEL, mtime=0) if len(content) >= _WORTH_PACKING else None
        kept = Kept(content, packed, hashlib.sha256(content).hexdigest())
        self._kept[what] = (made_from, kept)
        self._size += kept.size
        while self._size > self._limit:
            self._forget(next(iter(self._kept)))
        return kept

    def _forget(self, what: Hashable) -> None:
        self._size -= self._kept.pop(what)[1].size
