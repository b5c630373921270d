"""What the checks still say of a wheel that was repaired."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from forge.audit.check import check_wheel
from forge.base.severity import Severity
from forge.wheel.repair_model import RepairResult, Unmendable

if TYPE_CHECKING:
    from pathlib import Path


def with_errors_left(result: RepairResult, repaired: Path) -> RepairResult:
    """The result with every error that ``forge check`` finds in the repaired wheel.

    Args:
        result: What the repair said.
        repaired: The wheel that it wrote.
    """
    errors = [
        Unmendable(finding.member, "check", f"{finding.id} {finding.name}: {finding.message}")
        for finding in check_wheel(repaired).findings
        if finding.severity is Severity.ERROR
    ]
    return dataclasses.replace(result, unmendable=(*result.unmendable, *errors))
