"""What a repair did and could not do."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.base.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

JSON_VERSION = 1
"""Goes up when a field changes its meaning or goes away."""


@dataclass(frozen=True)
class Change:
    """Something that was fixed.

    Args:
        member: The file in the wheel, by its old path; None for the wheel's own name.
        what: What of it, e.g. ``install name``.
        before: How it was.
        after: How it is; empty where it is gone.
    """

    member: str | None
    what: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.what}: {self.before or 'none'} -> {self.after or 'none'}"


@dataclass(frozen=True)
class Unmendable:
    """Something wrong that a repair cannot fix.

    Args:
        member: The file in the wheel; None where it is about the whole.
        what: What of it.
        why: Why it cannot be fixed.
    """

    member: str | None
    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass(frozen=True)
class RepairResult:
    """A repaired wheel.

    Args:
        wheel: The wheel as it was.
        output: The new one; where there was nothing to fix, a copy; None where nothing was to be written.
        changes: What was fixed, sorted by file.
        unmendable: What was not.
    """

    wheel: Path
    output: Path | None
    changes: tuple[Change, ...]
    unmendable: tuple[Unmendable, ...]


def render_text(result: RepairResult) -> str:
    """A repair as plain text: the wheel, and a paragraph for each file; ends in a line break."""
    lines = [str(result.output or result.wheel)]
    everything: tuple[Change | Unmendable, ...] = (*result.changes, *result.unmendable)
    for member in sorted({one.member or "" for one in everything}):
        if member:
            lines.append(f"  {member}")
        lines += [
            f"    {'fixed ' if isinstance(one, Change) else 'left  '}  {one}"
            for one in everything
            if (one.member or "") == member
        ]
    if not everything:
        lines.append("    nothing to fix")
    return "\n".join(map(printable, lines)) + "\n"


def to_json(results: Sequence[RepairResult]) -> str:
    """Repairs as JSON (``schemas/repair.schema.json``)."""
    wheels = [
        {
            "wheel": str(result.wheel),
            "output": None if result.output is None else str(result.output),
            "changes": [dataclasses.asdict(change) for change in result.changes],
            "unmendable": [dataclasses.asdict(rest) for rest in result.unmendable],
        }
        for result in results
    ]
    return json.dumps({"version": JSON_VERSION, "wheels": wheels}, indent=2, ensure_ascii=False) + "\n"
