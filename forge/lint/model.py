"""What lint says: rules with stable ids, findings at their places, and what mends a finding by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forge.base.severity import Severity
    from forge.recipe.diagnostics import Diagnostic, Location, Note
    from forge.recipe.document import Path as DataPath


@dataclass(frozen=True)
class Rule:
    """What can be wrong with a recipe; a row of ``rules.json``.

    Args:
        id: Stable for ever; the hundreds group: 0 unusable, 1 layout, 2 about, 3 source, 4 build, 5 wheel, 6 test.
        name: In kebab case; stable too.
        severity: How bad it is, unless a check knows better.
        what: What it is, in one sentence.
        why: Why it is wrong.
        mend: What to do about it.
        network: Whether it needs the network, and so runs only when that is asked for.
        fixable: Whether some of its findings can be mended without a person.
        references: Who says so.
    """

    id: str
    name: str
    severity: Severity
    what: str
    why: str
    mend: str
    network: bool = False
    fixable: bool = False
    references: tuple[str, ...] = ()


@dataclass(frozen=True)
class Edit:
    """A part of a text that another one replaces.

    Args:
        start: The first character, from 0.
        end: The character after the last.
        text: What comes in their place.
    """

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Fix:
    """What mends a finding.

    Args:
        edits: Parts of the recipe's text, which do not overlap.
        path: The one value that changes; None if the data stays as it is.
        value: What it changes to.
    """

    edits: tuple[Edit, ...]
    path: DataPath | None = None
    value: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a recipe.

    Args:
        rule: Which rule says so.
        severity: How bad it is.
        diagnostic: The place, what is wrong there, and what to do about it.
        fix: What mends it, or None where that takes a person.
        is_fatal: Whether no command can use the recipe; then it cannot be ignored.
    """

    rule: Rule
    severity: Severity
    diagnostic: Diagnostic
    fix: Fix | None = field(default=None, compare=False)
    is_fatal: bool = False

    @property
    def where(self) -> Location:
        """The place."""
        return self.diagnostic.where

    @property
    def message(self) -> str:
        """What is wrong, in one sentence without a full stop."""
        return self.diagnostic.message

    @property
    def hint(self) -> str | None:
        """What to do about it here."""
        return self.diagnostic.hint

    @property
    def notes(self) -> tuple[Note, ...]:
        """Other places that belong to it."""
        return self.diagnostic.notes
