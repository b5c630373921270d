"""The order of a section's keys, and a section put into order: whole lines move, each key with its comments."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from forge.lint.model import Edit, Fix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.lint.subject import Subject
    from forge.recipe.document import Path as DataPath


def out_of_order(keys: Sequence[str], order: Sequence[str]) -> tuple[str, str] | None:
    """The first key that stands after one which should follow it, and that one; None if all is in order."""
    known = [key for key in keys if key in order]
    for number, key in enumerate(known):
        for earlier in known[:number]:
            if order.index(earlier) > order.index(key):
                return key, earlier
    return None


def reordered(subject: Subject, path: DataPath, keys: Sequence[str], order: Sequence[str]) -> Fix | None:
    """What puts the keys of a section into order; None where they have no lines of their own.

    Blank lines stay where they are: they separate places, not keys.

    Args:
        subject: The recipe.
        path: The section.
        keys: Its keys, as they stand.
        order: The keys that the schema has.
    """
    document = subject.document
    if document is None or not all(key in order for key in keys):
        return None
    places = [document.keys[(*path, key)] for key in keys]
    lines = document.lines
    if len({place.column for place in places}) != 1 or any(p.text[: p.column - 1].strip() for p in places):
        return None  # written as '{…}', or as the first key of a list's item
    firsts = [_with_comments(lines, place.line - 1, place.column - 1) for place in places]
    end = _end(lines, places[-1].line - 1, places[-1].column - 1)
    blocks, gaps = [], []
    for first, following in itertools.pairwise([*firsts, end]):
        block = list(lines[first:following])
        gap = []
        while block and not block[-1].strip():
            gap.append(block.pop())
        blocks.append(block)
        gaps.append(gap)
    sorted_blocks = [blocks[keys.index(key)] for key in sorted(keys, key=order.index)]
    line_break = "\r\n" if "\r\n" in subject.text else "\n"
    new = [line for block, gap in zip(sorted_blocks, gaps, strict=True) for line in (*block, *gap)]
    last = end < len(lines)  # the section's last line has a line break after it
    start = subject.starts[firsts[0]]
    stop = subject.starts[end] if last else len(subject.text)
    return Fix((Edit(start, stop, line_break.join(new) + (line_break if last else "")),))


def _with_comments(lines: Sequence[str], line: int, column: int) -> int:
    """The first of the comment lines right above a key, in its column, which are about it."""
    first = line
    while first > 0 and lines[first - 1].startswith("#", column) and not lines[first - 1][:column].strip():
        if "yaml-language-server" in lines[first - 1]:
            break
        first -= 1
    return first


def _end(lines: Sequence[str], line: int, column: int) -> int:
    """The line after a section whose last key stands in *line*: the next one with something further left."""
    end = line + 1
    for number in range(line + 1, len(lines)):
        text = lines[number]
        if not text.strip():
            continue
        indent = len(text) - len(text.lstrip(" "))
        is_item = text.lstrip().startswith("- ") and indent == column
        if indent <= column and not is_item:
            break
        end = number + 1
    return end
