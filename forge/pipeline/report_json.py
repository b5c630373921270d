"""A report as JSON, as ``schemas/report.schema.json`` has it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forge.pipeline.report import ChangeReport, Row

JSON_VERSION = 1
"""Goes up when a field changes its meaning or goes away."""


def to_json(report: ChangeReport) -> str:
    """The report's text.

    Args:
        report: What it tells.
    """
    data = {
        "version": JSON_VERSION,
        "wheels": [_row(row) for row in report.rows],
        "failures": [
            {
                "subject": failure.subject, "message": failure.message, "hint": failure.hint or None,
                "first_error": failure.first_error or None, "skipped": failure.is_skipped,
            }
            for failure in report.failures
        ],
    }  # fmt: skip
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _row(row: Row) -> dict[str, Any]:
    before = row.before
    return {
        "package": row.package, "target": row.target or None, "python": row.python or None, "state": str(row.state),
        "wheel": row.filename or None, "seconds": row.seconds, "size": row.size,
        "findings": None if row.findings is None else [
            {"id": f.id, "severity": str(f.severity), "message": f.message, "member": f.member} for f in row.findings
        ],
        "tests": [
            {"python": t.python or None, "passed": t.passed, "total": t.total, "good": t.is_good} for t in row.tests
        ],
        "published": None if before is None else {
            "version": before.version, "size": before.size, "same": before.is_same,
            "differences": [
                {"kind": str(d.kind), "member": d.member, "gone": list(d.only_a), "new": list(d.only_b)}
                for d in before.differences
            ],
        },
        "problem": row.problem or None,
    }  # fmt: skip
