"""The rules, read from ``rules.json`` beside this file."""

from __future__ import annotations

import functools
import importlib.resources
import json

from forge.audit.finding import Rule
from forge.base.severity import Severity


@functools.cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, sorted by id."""
    text = importlib.resources.files("forge.audit").joinpath("rules.json").read_text(encoding="utf-8")
    rows = (
        Rule(**{**row, "severity": Severity(row["severity"]), "references": tuple(row["references"])})
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
