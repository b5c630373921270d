"""The hunks of a patch, and where in a file each fits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HUNK = re.compile(r"@@ -(?P<start>\d+)(?:,(?P<old>\d+))? \+\d+(?:,(?P<new>\d+))? @@")

_WORD = re.compile(r"\w{2}")


@dataclass(frozen=True)
class Hunk:
    """One hunk of a unified diff.

    Args:
        file: The file that it changes, without the first part of its path.
        number: Its number in that file, from 1.
        start: The line that it says it begins at; 0 where the file is made.
        old: The lines that it expects.
        new: The lines that it leaves.
    """

    file: str
    number: int
    start: int
    old: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def reversed(self) -> Hunk:
        """The hunk that undoes it."""
        return Hunk(self.file, self.number, self.start, self.new, self.old)


def parse_hunks(text: str) -> tuple[Hunk, ...]:
    """The hunks of a patch that `forge.source.patch` takes; what is none is passed over."""
    return tuple(_hunks(text))


def _hunks(text: str) -> Iterator[Hunk]:
    lines = text.split("\n")
    old_name = new_name = ""
    number, place = 0, 0
    while place < len(lines):
        line = lines[place]
        place += 1
        if line.startswith("--- "):
            old_name, number = _path(line), 0
        elif line.startswith("+++ "):
            new_name, number = _path(line), 0
        elif found := _HUNK.match(line):
            left = int(found["old"] or 1), int(found["new"] or 1)
            old, new, place = _body(lines, place, *left)
            number += 1
            yield Hunk(new_name or old_name, number, int(found["start"]), tuple(old), tuple(new))


def _body(lines: Sequence[str], place: int, before: int, after: int) -> tuple[list[str], list[str], int]:
    """A hunk's lines of each side, and where it ends."""
    old: list[str] = []
    new: list[str] = []
    while place < len(lines) and (len(old) < before or len(new) < after):
        sign, line = lines[place][:1], lines[place][1:]
        place += 1
        if sign in ("-", " ", "", "\r"):
            old.append(line)
        if sign in ("+", " ", "", "\r"):
            new.append(line)
    return old, new, place


def _path(line: str) -> str:
    shown = line[4:].partition("\t")[0].strip().strip('"')
    return "" if shown == "/dev/null" else shown.partition("/")[2]


def find(hunk: Hunk, lines: Sequence[str], near: int) -> int | None:
    """The line, from 1, that a hunk fits at, the nearest to where it is expected; None if there is none.

    Args:
        hunk: The hunk.
        lines: The file's lines.
        near: Where it is expected.
    """
    if not hunk.old:
        return min(near, len(lines) + 1)
    places = [
        number + 1
        for number in range(len(lines) - len(hunk.old) + 1)
        if lines[number] == hunk.old[0] and tuple(lines[number : number + len(hunk.old)]) == hunk.old
    ]
    return min(places, key=lambda place: abs(place - near), default=None)


def likeliest(hunk: Hunk, lines: Sequence[str], near: int) -> int | None:
    """The line, from 1, where most of a hunk's lines stand as it expects them: where a person should look.

    Args:
        hunk: A hunk that fits nowhere.
        lines: The file's lines.
        near: Where it is expected.

    Returns:
        None if nothing but brackets and the like is there.
    """
    scores: dict[int, int] = {}
    wanted: dict[str, list[int]] = {}
    for offset, line in enumerate(hunk.old):
        if _WORD.search(line):
            wanted.setdefault(line, []).append(offset)
    for number, line in enumerate(lines):
        for offset in wanted.get(line, ()):
            if number >= offset:
                scores[number - offset] = scores.get(number - offset, 0) + 1
    place = max(scores, key=lambda start: (scores[start], -abs(start + 1 - near)), default=None)
    return None if place is None else place + 1
