"""What became of an update, as text and JSON."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from forge.authoring.outcome import Status
from forge.authoring.patch_check import Fit, told
from forge.base.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forge.authoring.outcome import Outcome

JSON_VERSION = 1

_COUNTED = {
    Status.UPDATED: "updated",
    Status.FOLLOWS: "followed another",
    Status.NEWER: "can be updated",
    Status.CURRENT: "up to date",
    Status.UNKNOWN: "not known",
    Status.FAILED: "failed",
}


def render_text(outcomes: Sequence[Outcome], *, is_quiet: bool) -> str:
    """What became of each recipe, and how many ended how.

    Args:
        outcomes: The recipes.
        is_quiet: Whether to leave out those that are up to date and have nothing to tell.

    Returns:
        Text that ends in a line break.
    """
    lines = [line for outcome in outcomes if not is_quiet or _tells(outcome) for line in _lines(outcome)]
    counts = Counter(outcome.status for outcome in outcomes)
    lines.append(", ".join(f"{counts[status]} {text}" for status, text in _COUNTED.items() if counts[status]))
    return "\n".join(map(printable, lines)) + "\n"


def _tells(outcome: Outcome) -> bool:
    return outcome.status is not Status.CURRENT or bool(outcome.notes)


def _lines(outcome: Outcome) -> Iterator[str]:
    moved = f"{outcome.name} {outcome.before} -> {outcome.after}"
    match outcome.status:
        case Status.CURRENT:
            yield f"{outcome.name} {outcome.before}: up to date"
        case Status.UNKNOWN:
            yield f"{outcome.name} {outcome.before}: not known"
        case Status.FOLLOWS:
            yield f"{outcome.name} {outcome.before}: follows {', '.join(outcome.follows)}"
        case Status.FAILED if outcome.before == outcome.after:
            yield f"{outcome.name} {outcome.before}: failed"
        case Status.FAILED:
            yield f"{moved}: failed, and was left as it is"
        case _:
            yield moved
    yield from (f"    {line}" for line in _details(outcome))


def _details(outcome: Outcome) -> Iterator[str]:
    for patch in outcome.patches:
        if outcome.error is None or patch.fit not in (Fit.FAILS, Fit.INCLUDED):  # the error tells of those
            yield from told(patch)
    if outcome.modules is not None:
        yield from (f"the extension module {name} is new" for name in outcome.modules.new)
        yield from (f"the extension module {name} is gone" for name in outcome.modules.gone)
        yield from (outcome.modules.note,) if outcome.modules.note else ()
    if outcome.follows and outcome.status is not Status.FOLLOWS:
        yield f"its requirements follow {', '.join(outcome.follows)}"
    if outcome.pins:
        yield f"lock: {', '.join(outcome.pins)}"
    yield from outcome.notes
    if outcome.branch:
        yield f"on the branch {outcome.branch}"
    if outcome.error is not None:
        first, *rest = outcome.error.message.splitlines()
        yield f"error[{outcome.error.title}]: {first}"
        yield from rest
        yield from (f"hint: {outcome.error.hint}",) if outcome.error.hint else ()


def to_json(outcomes: Sequence[Outcome]) -> str:
    """What became of each recipe as JSON, as ``schemas/update.schema.json`` has it."""
    data = {"version": JSON_VERSION, "recipes": [_as_data(outcome) for outcome in outcomes]}
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _as_data(outcome: Outcome) -> dict[str, Any]:
    error = outcome.error
    return {
        "name": outcome.name,
        "status": str(outcome.status),
        "before": outcome.before,
        "after": outcome.after,
        "patches": [asdict(patch) for patch in outcome.patches],
        "modules": None if outcome.modules is None else asdict(outcome.modules),
        "pins": list(outcome.pins),
        "follows": list(outcome.follows),
        "notes": list(outcome.notes),
        "branch": outcome.branch or None,
        "error": None
        if error is None
        else {"class": error.title, "exit_code": error.exit_code, "message": error.message, "hint": error.hint},
    }
