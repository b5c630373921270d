"""Whether a recipe's patches apply to another source: each by itself, and where it does not, which hunk and why."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from forge.authoring.hunks import find, likeliest, parse_hunks
from forge.base.errors import SourceError
from forge.source.patch import apply_patches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.authoring.hunks import Hunk

_MOST_LINES = 12


class Fit(StrEnum):
    """How a patch fits a source."""

    APPLIES = "applies"
    MOVED = "moved"
    """It applies, at other lines than it says."""
    INCLUDED = "included"
    """The source has it already: it can be taken back."""
    FAILS = "fails"


@dataclass(frozen=True)
class FailedHunk:
    """A hunk that does not fit.

    Args:
        file: The file that it changes.
        number: Its number in that file, from 1.
        line: The line of the file at which most of it fits, from 1; if nothing of it is there, the one that it names;
            0 if there is no such file.
        expected: The lines that it expects.
        there: The lines that are there; none if nothing of it is.
    """

    file: str
    number: int
    line: int
    expected: tuple[str, ...]
    there: tuple[str, ...]


@dataclass(frozen=True)
class TriedPatch:
    """What became of a patch.

    Args:
        name: Its file's name.
        fit: How it fits.
        offsets: How many lines further down its hunks apply than they say, each number once; negative is further up.
        failed: The hunks that do not fit.
        said: What the program ``patch`` says, where no single hunk is to blame.
    """

    name: str
    fit: Fit
    offsets: tuple[int, ...] = ()
    failed: tuple[FailedHunk, ...] = ()
    said: str = ""


def try_patches(tree: Path, patches: Sequence[Path]) -> tuple[TriedPatch, ...]:
    """Apply patches to a source, each after the others that apply.

    `forge.source.patch` applies them, as for a build. A patch that does not apply leaves the source as it was.

    Args:
        tree: The source; a copy, since it is patched.
        patches: Unified diffs, in order.

    Raises:
        ToolchainError: There is no ``patch`` program.
    """
    return tuple(_try(tree, patch) for patch in patches)


def _try(tree: Path, patch: Path) -> TriedPatch:
    try:
        hunks = parse_hunks(patch.read_bytes().decode("utf-8", errors="surrogateescape"))
    except OSError:
        hunks = ()  # applying it says what is wrong
    offsets, failed = _fit(tree, hunks)
    with tempfile.TemporaryDirectory(prefix="forge-patch-") as scratch:
        kept = _keep(tree, hunks, Path(scratch))
        try:
            apply_patches(tree, [patch])
        except SourceError as error:
            _restore(tree, kept)
            back = [hunk.reversed for hunk in hunks]
            if hunks and not _fit(tree, back)[1]:
                return TriedPatch(patch.name, Fit.INCLUDED)
            said = "" if failed else error.message
            return TriedPatch(patch.name, Fit.FAILS, failed=failed, said=said)
    moved = tuple(dict.fromkeys(offset for offset in offsets if offset))
    return TriedPatch(patch.name, Fit.MOVED if moved else Fit.APPLIES, moved)


def _fit(tree: Path, hunks: Sequence[Hunk]) -> tuple[list[int], tuple[FailedHunk, ...]]:
    """By how many lines each hunk is off, and the hunks that fit nowhere."""
    offsets: list[int] = []
    failed: list[FailedHunk] = []
    last: dict[str, int] = {}
    for hunk in hunks:
        lines = _lines(tree / hunk.file)
        near = hunk.start + last.get(hunk.file, 0)
        if lines is None:
            if hunk.old:
                failed.append(FailedHunk(hunk.file, hunk.number, 0, hunk.old, ()))
            continue
        place = find(hunk, lines, near)
        if place is None or (not hunk.old and hunk.start == 0 and lines):
            line = likeliest(hunk, lines, near) if hunk.old else 1
            there = tuple(lines[line - 1 : line - 1 + max(len(hunk.old), 1)]) if line else ()
            failed.append(FailedHunk(hunk.file, hunk.number, line or near, hunk.old, there))
        elif hunk.old:
            last[hunk.file] = place - hunk.start
            offsets.append(place - hunk.start)
    return offsets, tuple(failed)


def _lines(file: Path) -> list[str] | None:
    try:
        text = file.read_bytes().decode("utf-8", errors="surrogateescape")
    except OSError:
        return None
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _keep(tree: Path, hunks: Sequence[Hunk], scratch: Path) -> dict[str, Path | None]:
    """Copies of the files that hunks change; None for one that is not there."""
    kept: dict[str, Path | None] = {}
    for number, name in enumerate(dict.fromkeys(hunk.file for hunk in hunks)):
        kept[name] = None
        if (tree / name).is_file():
            kept[name] = scratch / str(number)
            shutil.copy2(tree / name, scratch / str(number))
    return kept


def _restore(tree: Path, kept: dict[str, Path | None]) -> None:
    for name, copy in kept.items():
        for leftover in (f"{name}.rej", f"{name}.orig"):
            (tree / leftover).unlink(missing_ok=True)
        if copy is None:
            (tree / name).unlink(missing_ok=True)
        else:
            shutil.copy2(copy, tree / name)


def told(patch: TriedPatch) -> list[str]:
    """What became of a patch, in lines for people."""
    match patch.fit:
        case Fit.APPLIES:
            return [f"the patch {patch.name} applies"]
        case Fit.MOVED:
            offsets = ", ".join(
                f"{abs(each)} {'lines' if abs(each) != 1 else 'line'} further {'down' if each > 0 else 'up'}"
                for each in patch.offsets
            )
            return [f"the patch {patch.name} applies, {offsets}"]
        case Fit.INCLUDED:
            return [f"the patch {patch.name} is in the new source already: remove it from source.patches"]
    if not patch.failed:
        return [f"the patch {patch.name} does not apply", *patch.said.splitlines()[1:]]
    lines = []
    for hunk in patch.failed:
        where = f"at line {hunk.line}" if hunk.line else "there is no such file"
        lines.append(f"the patch {patch.name} does not apply: hunk {hunk.number} of {hunk.file} fails, {where}")
        if hunk.there:
            lines += _compared(hunk)
        elif hunk.line:
            lines += ["  nothing of what it expects is in the file:", *_shown(hunk.expected)]
    return lines


def _compared(hunk: FailedHunk) -> list[str]:
    """The lines that a hunk expects beside those that are there, without those at both ends that are the same."""
    start = 0
    while start < min(len(hunk.expected), len(hunk.there)) and hunk.expected[start] == hunk.there[start]:
        start += 1
    expected, there = list(hunk.expected[start:]), list(hunk.there[start:])
    while expected and there and expected[-1] == there[-1]:
        expected.pop()
        there.pop()
    lines = [f"  from line {hunk.line + start} on it expects"]
    lines += _shown(expected)
    return [*lines, "  but there is", *_shown(there)]


def _shown(lines: Sequence[str]) -> list[str]:
    shown = [f"    {line}".rstrip() for line in lines[:_MOST_LINES]] or ["    (nothing)"]
    return [*shown, "    …"] if len(lines) > _MOST_LINES else shown
