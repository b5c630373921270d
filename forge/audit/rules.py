"""The rules, read from ``rules.json`` beside this file."""

from __future__ import annotations

from forge.audit.finding import Rule
from forge.audit.rule_book import RuleBook

BOOK = RuleBook("forge.audit", Rule)


def all_rules() -> tuple[Rule, ...]:
    """Every rule, sorted by id."""
    return BOOK.rules


def rule(name: str) -> Rule:
    """The rule of that name.

    Raises:
        KeyError: There is none; a mistake in forge, which its tests find.
    """
    return BOOK.rule(name)
