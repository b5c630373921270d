"""What a branch changes, as text and JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from forge.base.printable import printable
from forge.plan.explain import Doing
from forge.plan.plan_report import minutes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.plan.changes.compare import ChangedRecipe, Changes

JSON_VERSION = 1


def render_text(changes: Changes, jobs: int) -> str:
    """The recipes that have changed, each after what it needs, and why.

    Args:
        changes: The changes.
        jobs: How many processes may run at once, for the estimate.

    Returns:
        Text that ends in a line break.
    """
    return "\n".join(map(printable, _lines(changes, jobs))) + "\n"


def _lines(changes: Changes, jobs: int) -> Iterator[str]:
    yield (
        f"compared with {changes.base.commit[:12]}, the merge base of {changes.base.ref} and HEAD; "
        "uncommitted changes count"
    )
    common = set.intersection(*(set(recipe.causes) for recipe in changes.recipes)) if changes.recipes else set()
    common = common if len(changes.recipes) > 1 else set()
    if common:
        which = "all" if len(changes.recipes) == changes.total else "all of these"
        for cause in (cause for cause in changes.recipes[0].causes if cause in common):
            yield f"{which} {len(changes.recipes)} recipes: {cause.text}"
    for recipe in changes.recipes:
        yield f"{recipe.name} {recipe.version}: {_wheels(recipe)}"
        yield from (f"    {cause.text}" for cause in recipe.causes if cause not in common)
    for name in changes.removed:
        yield f"{name}: it is not built any more"
    for dependent in changes.dependents:
        yield f"{dependent.name}: the same wheels, but it needs {', '.join(dependent.needs)} to run or to be tested"
    yield from _summary(changes, jobs)


def _wheels(recipe: ChangedRecipe) -> str:
    count = len(recipe.builds)
    text = f"{count} {'wheel' if count == 1 else 'wheels'}"
    there = sum(build.doing is not Doing.BUILD for build in recipe.builds)
    if there:
        text += f", {there} of them cached" if there < count else ", cached"
    known = [build.seconds for build in recipe.builds if build.doing is Doing.BUILD and build.seconds is not None]
    return f"{text}, about {minutes(sum(known))}" if known else text


def _summary(changes: Changes, jobs: int) -> Iterator[str]:
    builds = [build for recipe in changes.recipes for build in recipe.builds]
    if not builds:
        yield f"no wheel of {changes.total} recipes differs"
        return
    left = sum(build.doing is Doing.BUILD for build in builds)
    text = f"{len(changes.recipes)} of {changes.total} recipes, {len(builds)} wheels, {left} of them to build"
    if left:
        text += f"; about {minutes(max(changes.seconds, changes.work / jobs))}"
    if changes.unknown:
        text += f" ({changes.unknown} of them never built before: a minute each)"
    yield text


def to_json(changes: Changes) -> str:
    """The changes as JSON, as ``schemas/changed.schema.json`` has it."""
    data = {
        "version": JSON_VERSION,
        "base": {"ref": changes.base.ref, "commit": changes.base.commit},
        "recipes": [asdict(recipe) for recipe in changes.recipes],
        "removed": list(changes.removed),
        "dependents": [asdict(dependent) for dependent in changes.dependents],
        "total": changes.total,
        "seconds": round(changes.seconds, 1),
        "work": round(changes.work, 1),
        "unknown": changes.unknown,
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
