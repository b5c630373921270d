"""A log matched against the catalogue of failures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.base.errors import StorageError
from forge.failures.catalogue import all_entries, filled
from forge.failures.first_error import first_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from forge.failures.catalogue import Change, Entry

_MOST_BYTES = 4 << 20
"""How much of a log is looked at, from its end: what stopped the build is there."""

_MOST_WIDTH = 2000
"""How much of a line is looked at, in characters: commands have long lines, errors have not."""

_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


_MOST_LINES = 1500
"""How many lines that may report a failure are looked at, from the first and from the last of them on."""

_WORDS = (
    "error", "fail", "cannot", "can't", "could not", "unable", "missing", "not found", "undefined", "undeclared",
    "no such", "no module", "no space", "no fortran", "no acceptable", "given no", "by not providing", "unsupported",
    "not supported", "unavailable", "not available", "not support", "not load", "not a ", "not know", "not match",
    "not in ", "is not", "tried:", "kill", "out of memory", "exhausted", "bad_alloc", "quota", "duplicate symbol",
    "symbol(s)", "panicked", "bug report", "incompatible", "required", "requires", "invalid", "unrecognized", "unknown",
    "superseded", "has been removed", "does not", "may not", "skipping", "wrong", "-bundle", "mh_bundle", "is a bundle",
    "returned none", "impossible", "was passed", "conflict", "invoked in", "mismatch", "different from", "only on",
    "building for", "belongs to", "feature `", "patch: ***", "unhandled", "problem", "must", "signal 9",
    "pyo3_cross", "neither",
)  # fmt: skip
"""Words, in lower case, of which a line has one that any signature matches: most lines need no further look."""


@dataclass(frozen=True)
class Match:
    """An entry that fits a log.

    Args:
        entry: The entry.
        number: The line's number in the log, from 1.
        line: The line.
        cause: Why it fails.
        mend: What to do about it.
        changes: The changes of a recipe that mend it, if a program can make them.
    """

    entry: Entry
    number: int
    line: str
    cause: str
    mend: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """What is known of a log.

    Args:
        matches: Entries that fit, the best first.
        first: The first line that reports an error, with its number; None if no line does.
    """

    matches: tuple[Match, ...]
    first: tuple[int, str] | None


def explain_log(log: Path) -> Explanation:
    """Explain a log.

    Args:
        log: The file.

    Raises:
        StorageError: It cannot be read.
    """
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            start = max(0, size - _MOST_BYTES)
            file.seek(0)
            skipped = file.read(start).count(b"\n") if start else 0
            content = file.read(_MOST_BYTES)
    except OSError as error:
        raise StorageError(f"cannot read the log {log}: {error.strerror}", hint="check its path") from error
    return explain_lines(content.decode("utf-8", errors="replace").split("\n"), skipped)


def explain_lines(lines: Iterable[str], skipped: int = 0) -> Explanation:
    """Explain lines of a log.

    The best entry is the one whose line is the first, for a failure makes others. One that says little comes after all
    that say more; of several such, the one that fits the first line that reports an error is the best.

    Args:
        lines: The lines.
        skipped: How many lines are before them.
    """
    plain = [_COLOUR.sub("", line.rstrip("\r")[:_MOST_WIDTH]) for line in lines]
    first = first_of(plain)
    first_number = first[0] if first else 0
    best: dict[str, tuple[bool, int, int, Match]] = {}
    for number, line in _suspicious(plain):
        for rank, entry in enumerate(all_entries()):
            hit = entry.signature.search(line) if entry.id not in best else None
            if hit is not None:
                groups = hit.groupdict()
                cause, mend = filled(entry.cause, groups), filled(entry.mend, groups)
                changes = (each for change in entry.changes if (each := change.filled(groups)) is not None)
                match = Match(entry, skipped + number, line, cause, mend, tuple(changes))
                best[entry.id] = (entry.general, number, rank, match)
    ordered = sorted(best.values(), key=lambda each: (each[0], each[0] and each[1] != first_number, *each[1:3]))
    return Explanation(tuple(match for *_, match in ordered), None if first is None else (skipped + first[0], first[1]))


def _suspicious(lines: Sequence[str]) -> list[tuple[int, str]]:
    """The lines, with their numbers, that any entry can match; each text once, and not more than can be looked at."""
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        lower = line.lower()
        if any(word in lower for word in _WORDS):
            seen.setdefault(line, number)
    found = [(number, line) for line, number in seen.items()]
    return found if len(found) <= 2 * _MOST_LINES else [*found[:_MOST_LINES], *found[-_MOST_LINES:]]
