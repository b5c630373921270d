"""Run requirements that a recipe adds to the project's own: Requires-Dist in METADATA (core metadata)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_HEADER_END = "\n\n"


def add_run_requirements(dist_info: Path, requirements: Iterable[str]) -> None:
    """Add Requires-Dist lines to an unpacked wheel's METADATA, after the existing ones and without duplicates.

    Args:
        dist_info: The dist-info directory.
        requirements: The requirements (PEP 508).
    """
    metadata = dist_info / "METADATA"
    text = metadata.read_text(encoding="utf-8")
    header, separator, body = text.partition(_HEADER_END)
    if not separator:
        header = header.rstrip("\n")
    lines = header.split("\n")
    prefix = "Requires-Dist: "
    known = {str(Requirement(line.removeprefix(prefix))) for line in lines if line.startswith(prefix)}
    added = [prefix + each for each in requirements if str(Requirement(each)) not in known]
    if not added:
        return
    last = max((number for number, line in enumerate(lines) if line.startswith(prefix)), default=len(lines) - 1)
    lines[last + 1 : last + 1] = added
    metadata.write_text("\n".join(lines) + (separator or "\n") + body, encoding="utf-8")
