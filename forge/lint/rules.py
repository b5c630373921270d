"""The rules, read from ``rules.json`` beside this file."""

from __future__ import annotations

import functools
import importlib.resources
import json
from typing import TYPE_CHECKING

from forge.base.severity import Severity
from forge.lint.model import Finding, Fix, Rule
from forge.recipe.diagnostics import Diagnostic, Location, Note

if TYPE_CHECKING:
    from collections.abc import Sequence


@functools.cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, sorted by id."""
    text = importlib.resources.files("forge.lint").joinpath("rules.json").read_text(encoding="utf-8")
    rows = (
        Rule(**{**row, "severity": Severity(row["severity"]), "references": tuple(row.get("references", ()))})
        for row in json.loads(text)
    )
    return tuple(sorted(rows, key=lambda rule: rule.id))


@functools.cache
def rule(name: str) -> Rule:
    """The rule of that name.

    Raises:
        KeyError: There is none; a mistake in forge, which its tests find.
    """
    for one in all_rules():
        if one.name == name:
            return one
    raise KeyError(name)


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


def select_rules(select: Sequence[str], ignore: Sequence[str]) -> frozenset[str]:
    """The ids of the rules that ``--select`` and ``--ignore`` leave.

    Args:
        select: Ids, starts of ids (``REC2``) or names of rules; empty for all.
        ignore: The same, taken away again.

    Raises:
        KeyError: A word stands for no rule; the word.
    """
    chosen = _matching(select) if select else {one.id for one in all_rules()}
    return frozenset(chosen - _matching(ignore))


def _matching(words: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for word in words:
        ids = {one.id for one in all_rules() if one.name == word.lower() or one.id.startswith(word.upper())}
        if not word or not ids:
            raise KeyError(word)
        found |= ids
    return found
