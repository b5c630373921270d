"""What ``forge lint`` prints: text for people, JSON for programs, one rule in full."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from forge.audit.rule_text import explain_rule, paragraph
from forge.base.printable import printable, printable_lines
from forge.base.severity import Severity
from forge.lint.rules import BOOK

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forge.lint.model import Finding, Rule
    from forge.lint.run import Report

JSON_VERSION = 1
"""Goes up when a field changes its meaning or goes away."""


def render_text(report: Report) -> str:
    """Findings as plain text, each with its place, and each rule explained once at the end.

    Returns:
        Text that ends in a line break.
    """
    parts: list[str] = []
    for found in report.findings:
        head, _, rest = found.diagnostic.render().partition("\n")
        place = f"{found.where}: "
        said = head.removeprefix(place)
        parts.append(f"{place}{found.severity} {found.rule.id} {found.rule.name}: {said}")
        parts += [rest, ""] if rest else [""]
    rules = rules_of(report.findings)
    for rule in rules:
        parts += [f"{rule.id} {rule.name}", *paragraph("why", rule.why), *paragraph("fix", rule.mend)]
    parts += [""] if rules else []
    parts.append(_summary(report))
    return printable_lines("\n".join(parts)) + "\n"


def to_json(report: Report) -> str:
    """Findings as JSON, as ``schemas/lint.schema.json`` has it."""
    data = {
        "version": JSON_VERSION,
        "recipes": report.files,
        "findings": [_row(found) for found in report.findings],
        "rules": [rule_row(rule) for rule in rules_of(report.findings)],
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def rule_row(rule: Rule) -> dict[str, Any]:
    """A rule as JSON data."""
    return {
        "id": rule.id,
        "name": rule.name,
        "severity": rule.severity.value,
        "what": rule.what,
        "why": rule.why,
        "mend": rule.mend,
        "network": rule.network,
        "fixable": rule.fixable,
        "references": list(rule.references),
    }


def explain(rule: Rule) -> str:
    """Everything that is to be said about a rule, as plain text that ends in a line break."""
    notes = ["with --network only"] if rule.network else []
    notes += ["fixed by --fix"] if rule.fixable else []
    return explain_rule(rule, *notes)


def rules_of(findings: Iterable[Finding]) -> list[Rule]:
    """The rules of findings, each once, by id."""
    return BOOK.those({found.rule.id for found in findings})


def _row(found: Finding) -> dict[str, Any]:
    where = found.where
    return {
        "id": found.rule.id,
        "name": found.rule.name,
        "severity": found.severity.value,
        "file": where.file,
        "line": where.line,
        "column": where.column,
        "end_column": where.column + where.width,
        "message": found.message,
        "hint": found.hint,
        "fixable": found.fix is not None,
    }


def _summary(report: Report) -> str:
    counts = Counter(found.severity for found in report.findings)
    said = [_counted(report.files, "recipe") + " checked"]
    said += [_counted(counts[Severity.ERROR], "error"), _counted(counts[Severity.WARNING], "warning")]
    if counts[Severity.INFO]:
        said.append(f"{counts[Severity.INFO]} for information")
    if fixable := sum(found.fix is not None for found in report.findings):
        said.append(f"{fixable} of them can be fixed with --fix")
    return printable(", ".join(said))


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
