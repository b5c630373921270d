"""Findings as text and as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from typing import TYPE_CHECKING

from forge.base.printable import printable
from forge.base.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.audit.finding import Finding

JSON_VERSION = 1
"""Goes up when a field changes its meaning or goes away."""


def render_text(findings: Sequence[Finding]) -> str:
    """Findings as plain text: a line each, and why and what to do once for each rule.

    Returns:
        Text that ends in a line break; ``no findings`` for none.
    """
    if not findings:
        return "no findings\n"
    lines: list[str] = []
    explained: set[str] = set()
    for finding in findings:
        lines.append(f"{finding.severity} {finding.id} {finding.name}: {finding.located}")
        if finding.id not in explained:
            explained.add(finding.id)
            lines += [f"    why:  {finding.why}", f"    fix:  {finding.mend}"]
    counts = Counter(finding.severity for finding in findings)
    said = (f"{counts[s]} {s}{'s' if counts[s] != 1 and s is not Severity.INFO else ''}" for s in Severity if counts[s])
    lines.append(", ".join(said))
    return "\n".join(map(printable, lines)) + "\n"


def to_json(findings: Sequence[Finding]) -> str:
    """Findings as JSON: ``{"version": 1, "findings": [{"id": …, "name": …, "severity": …, …}]}``."""
    rows = [dataclasses.asdict(finding) for finding in findings]
    return json.dumps({"version": JSON_VERSION, "findings": rows}, indent=2, ensure_ascii=False) + "\n"
