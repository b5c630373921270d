"""The rules, read from ``rules.json`` beside this file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.audit.rule_book import RuleBook
from forge.lint.model import Finding, Fix, Rule
from forge.recipe.diagnostics import Diagnostic, Location, Note

if TYPE_CHECKING:
    from forge.base.severity import Severity

BOOK = RuleBook("forge.lint", Rule)


def all_rules() -> tuple[Rule, ...]:
    """Every rule, sorted by id."""
    return BOOK.rules


def rule(name: str) -> Rule:
    """The rule of that name.

    Raises:
        KeyError: There is none; a mistake in forge, which its tests find.
    """
    return BOOK.rule(name)


def finding(
    name: str,
    where: Location,
    message: str,
    hint: str | None = None,
    *,
    severity: Severity | None = None,
    notes: tuple[Note, ...] = (),
    fix: Fix | None = None,
) -> Finding:
    """A finding under the rule of that name."""
    one = rule(name)
    return Finding(one, severity or one.severity, Diagnostic(where, message, hint, notes), fix)
