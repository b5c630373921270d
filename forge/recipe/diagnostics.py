"""What is wrong with a recipe, shown at its place: file, line, column, the line itself, a caret, a hint.

Every error is shown at once, so that fixing a recipe takes one round; the look is rustc's and
rattler-build's.
"""

from __future__ import annotations

import difflib
import os
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_SHOWN = 20
"""How many diagnostics one error prints; the rest are counted."""

_LINE_WIDTH = 100  # of a source line, in characters; a longer one is cut around the caret


@dataclass(frozen=True)
class Location:
    """A place in a text file.

    Args:
        file: The file's name, as shown to the user.
        line: 1 for the first line.
        column: 1 for the first character.
        width: How many characters the caret underlines, at least 1.
        text: The whole source line, without its line break.
    """

    file: str
    line: int
    column: int = 1
    width: int = 1
    text: str = ""

    def within(self, whole: str, start: int, width: int) -> Location:
        """The place of a part of a string that stands here.

        Args:
            whole: The string; where its source differs from it (escapes, several lines), this place is
                returned.
            start: Where the part starts in it, from 0.
            width: How long the part is.
        """
        at = self.text.find(whole, self.column - 1)
        return self if at < 0 else Location(self.file, self.line, at + start + 1, width, self.text)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Note:
    """A second place that explains the first, e.g. where a key was given already."""

    where: Location
    message: str


@dataclass(frozen=True)
class Diagnostic:
    """One thing that is wrong.

    Args:
        where: The place.
        message: What is wrong, in one sentence without a full stop.
        hint: What to do about it.
        notes: Other places that belong to it.
    """

    where: Location
    message: str
    hint: str | None = None
    notes: tuple[Note, ...] = ()

    def render(self) -> str:
        """The text for a terminal: several lines, no colour, no trailing line break."""
        lines = [f"{self.where}: {self.message}", *_excerpt(self.where)]
        for note in self.notes:
            lines += [f"  {note.where}: {note.message}", *_excerpt(note.where)]
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


class InvalidRecipeError(RecipeError):
    """A recipe (or its lock) that cannot be used; carries everything that is wrong with it.

    Args:
        diagnostics: At least one.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(sorted(diagnostics, key=lambda d: (d.where.file, d.where.line, d.where.column)))
        shown = [diagnostic.render() for diagnostic in self.diagnostics[:MAX_SHOWN]]
        if len(self.diagnostics) > MAX_SHOWN:
            shown.append(f"… and {len(self.diagnostics) - MAX_SHOWN} more")
        super().__init__("\n".join(shown))


def together(errors: Sequence[RecipeError]) -> RecipeError:
    """Several errors as one: each once, with its places and hints.

    Args:
        errors: At least one.
    """
    if len(errors) == 1:
        return errors[0]
    placed = [each for error in errors if isinstance(error, InvalidRecipeError) for each in error.diagnostics]
    others = [error for error in errors if not isinstance(error, InvalidRecipeError)]
    if not others:
        return InvalidRecipeError(dict.fromkeys(placed))
    texts = [f"{error.message}\n  hint: {error.hint}" if error.hint else error.message for error in others]
    texts += [InvalidRecipeError(dict.fromkeys(placed)).message] if placed else []
    return RecipeError("\n".join(dict.fromkeys(texts)))


def shown_path(path: Path) -> str:
    """A path as the user would type it: relative if it is below the working directory."""
    try:
        absolute = Path(os.path.abspath(path))  # noqa: PTH100 - keeps symbolic links, as given
        for seen, here in ((absolute, Path.cwd()), (path.resolve(), Path.cwd().resolve())):
            if seen.is_relative_to(here):
                return seen.relative_to(here).as_posix()
    except (OSError, RuntimeError):  # no working directory any more; links in a circle
        pass
    return path.as_posix()


def did_you_mean(word: str, known: Iterable[str], what: str = "valid keys") -> str:
    """A hint for a word that is not among the known ones: the nearest of them, or all of them."""
    choices = sorted(known)
    near = difflib.get_close_matches(word, choices, n=1, cutoff=0.5)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"{what} are {', '.join(choices)}" if choices else f"there are no {what}"


def _excerpt(where: Location) -> list[str]:
    """The source line with a caret below it, or nothing for a place that has no text."""
    if not where.text.strip():
        return []
    start = where.column - 1
    first = max(0, start - _LINE_WIDTH * 2 // 3) if len(where.text) > _LINE_WIDTH else 0
    visible = "".join(c if c.isprintable() else " " for c in where.text[first : first + _LINE_WIDTH])
    visible = ("…" if first else "") + visible + ("…" if first + _LINE_WIDTH < len(where.text) else "")
    before = visible[: start - first + bool(first)]
    under = visible[len(before) : len(before) + where.width]
    number = str(where.line)
    return [
        f"  {number} | {visible}",
        f"  {' ' * len(number)} | {' ' * _columns(before)}{'^' * max(1, _columns(under))}",
    ]


def _columns(text: str) -> int:
    """How many terminal columns a text takes (Unicode's UAX 11: wide and fullwidth characters take two)."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
