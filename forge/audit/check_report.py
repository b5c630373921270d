"""What ``forge check`` prints: text for people, JSON for programs, one rule in full."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from forge.audit.rule_text import explain_rule, paragraph
from forge.audit.rules import BOOK
from forge.base.printable import printable
from forge.base.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from forge.audit.check import Report, WheelReport
    from forge.audit.compare import Comparison
    from forge.audit.finding import Finding, Rule
    from forge.wheel.sbom_read import WheelSbom

JSON_VERSION = 1
"""Goes up when a field changes its meaning or goes away."""

_SHOWN_FILES = 1
_SHOWN_COMPONENTS = 8


def render_text(report: Report, *, libraries: bool = False) -> str:
    """A report as plain text, grouped by wheel, each rule explained once at the end.

    Several files with the same information-only finding are one line.

    Args:
        report: The report.
        libraries: Also list the libraries that binaries load.

    Returns:
        Text that ends in a line break.
    """
    lines: list[str] = []
    for wheel in report.wheels:
        lines += [*_wheel_lines(wheel), *(_library_lines(wheel) if libraries else ()), ""]
    if report.together:
        lines += ["the wheels together", *_finding_lines(report.together), ""]
    for rule in _rules_of(report.findings):
        lines += [f"{rule.id} {rule.name}", *paragraph("why", rule.why), *paragraph("fix", rule.mend)]
    if report.findings:
        lines.append("")
    lines.append(_summary(report))
    return "\n".join(map(printable, lines)) + "\n"


def to_json(report: Report, compared: Iterable[Comparison] = ()) -> str:
    """A report as JSON, as ``schemas/check.schema.json`` has it.

    Args:
        report: The report.
        compared: What comparisons with other builders' wheels gave.
    """
    wheels = [
        {
            "wheel": str(wheel.path),
            "target": None if wheel.target is None else wheel.target.multiarch,
            "ios_version": None if wheel.target is None else str(wheel.target.ios_version),
            "needs": None
            if wheel.needs is None
            else {"ios_version": str(wheel.needs.version), "reasons": list(wheel.needs.reasons)},
            "skipped": wheel.skipped,
            "findings": [_finding_row(finding) for finding in wheel.findings],
            "libraries": [
                {"name": library.name, "weak": library.is_weak, "members": list(library.members)}
                for library in wheel.libraries
            ],
            "sboms": [dataclasses.asdict(sbom) for sbom in wheel.sboms],
        }
        for wheel in report.wheels
    ]
    data = {
        "version": JSON_VERSION,
        "wheels": wheels,
        "together": [_finding_row(finding) for finding in report.together],
        "rules": [rule_row(rule) for rule in _rules_of(report.findings)],
    }
    comparisons = [
        {
            "other": one.a or None,
            "wheel": one.b,
            "problem": one.problem or None,
            "differences": [dataclasses.asdict(each) for each in one.differences],
        }
        for one in compared
    ]
    if comparisons:
        data["comparisons"] = comparisons
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
        "references": list(rule.references),
    }


def explain(rule: Rule) -> str:
    """Everything that is to be said about a rule, as plain text that ends in a line break."""
    return explain_rule(rule)


def _finding_row(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "name": finding.name,
        "severity": finding.severity.value,
        "member": finding.member,
        "message": finding.message,
        "symbols": list(finding.symbols),
    }


def _rules_of(findings: Iterable[Finding]) -> list[Rule]:
    return BOOK.those({finding.id for finding in findings})


def _wheel_lines(wheel: WheelReport) -> Iterator[str]:
    if wheel.skipped is not None:
        yield f"{wheel.path}: skipped: {wheel.skipped}"
        return
    target = "" if wheel.target is None else f" ({wheel.target.multiarch}, iOS {wheel.target.ios_version})"
    yield f"{wheel.path}{target}{'' if wheel.findings else ': nothing found'}"
    yield from _finding_lines(wheel.findings)
    if wheel.needs and wheel.target and wheel.needs.version > wheel.target.effective_ios_version:
        reasons = wheel.needs.reasons
        more = f" and {len(reasons) - 1} more" if len(reasons) > 1 else ""
        yield f"  needs   iOS {wheel.needs.version}: {reasons[0]}{more}"
    for sbom in wheel.sboms:
        yield from _sbom_lines(sbom)


def _library_lines(wheel: WheelReport) -> Iterator[str]:
    for library in wheel.libraries:
        first, *others = library.members
        more = f" and {len(others)} more" if others else ""
        yield f"  loads   {library.name}{' (weakly)' if library.is_weak else ''}: {first}{more}"


def _sbom_lines(sbom: WheelSbom) -> Iterator[str]:
    """What a wheel says that is in it; what only took part in its build is counted."""
    included = [f"{one.name} {one.version}".rstrip() for one in sbom.components if one.included]
    others = len(sbom.components) - len(included)
    said = ", ".join(included[:_SHOWN_COMPONENTS]) or "no component"
    if len(included) > _SHOWN_COMPONENTS:
        said += f" and {len(included) - _SHOWN_COMPONENTS} more"
    if others:
        said += f"; built with {others} {'other' if others == 1 else 'others'}"
    yield f"  sbom    {sbom.member} ({sbom.format}): {said}" if sbom.format else f"  sbom    {sbom.member}"


def _finding_lines(findings: Sequence[Finding]) -> Iterator[str]:
    for (severity, id_), group in itertools.groupby(findings, key=lambda finding: (finding.severity, finding.id)):
        rows = list(group)
        shown = rows[:_SHOWN_FILES] if severity is Severity.INFO else rows
        for finding in shown:
            yield f"  {severity:<7} {id_} {finding.name}: {finding.located}"
        if len(shown) < len(rows):
            rest = len(rows) - len(shown)
            yield f"  {'':<7} {'':<6} … and {rest} more {'file' if rest == 1 else 'files'}"


def _summary(report: Report) -> str:
    counts = Counter(finding.severity for finding in report.findings)
    checked = sum(wheel.skipped is None for wheel in report.wheels)
    skipped = len(report.wheels) - checked
    said = [f"{checked} {'wheel' if checked == 1 else 'wheels'} checked"]
    if skipped:
        said.append(f"{skipped} skipped")
    said += [_counted(counts[Severity.ERROR], "error"), _counted(counts[Severity.WARNING], "warning")]
    if counts[Severity.INFO]:
        said.append(f"{counts[Severity.INFO]} for information")
    return ", ".join(said)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
