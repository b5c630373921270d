"""A plan as text, JSON, and graphs for Graphviz and Mermaid."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

from forge.base.printable import printable
from forge.plan.explain import Doing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forge.plan.explain import Change, Plan, PlannedBuild

JSON_VERSION = 1


def render_text(plan: Plan, jobs: int) -> str:
    """A plan in the order in which it is built, with the reasons for what is not in the cache.

    Args:
        plan: The plan.
        jobs: How many processes may run at once, for the estimate.

    Returns:
        Text that ends in a line break.
    """
    width = max((len(build.name) for build in plan.builds), default=0)
    lines: list[str] = []
    for build in plan.builds:
        known = build.doing is not Doing.CACHED and build.seconds is not None
        takes = f"  about {minutes(build.seconds or 0)}" if known else ""
        lines.append(f"{build.name:<{width}}  {build.doing}{takes}".rstrip())
        if build.doing is Doing.BUILD:
            lines += [f"    {reason}" for reason in reasons(build)]
    lines += _summary(plan, jobs)
    return "\n".join(map(printable, lines)) + "\n"


def render_tree(plan: Plan) -> str:
    """A plan as a tree: below each build what it needs.

    Returns:
        Text that ends in a line break.
    """
    by_name = {build.name: build for build in plan.builds}
    needed = {name for build in plan.builds for name in build.needs}

    def branch(name: str, indent: str) -> Iterator[str]:
        direct = _direct(by_name[name], by_name)
        for number, each in enumerate(direct):
            last = number == len(direct) - 1
            yield f"{indent}{'└── ' if last else '├── '}{each}  {by_name[each].doing}"
            yield from branch(each, indent + ("    " if last else "│   "))

    lines: list[str] = []
    for name, build in by_name.items():
        if name not in needed:
            lines += [f"{name}  {build.doing}", *branch(name, "")]
    return "\n".join(map(printable, lines)) + "\n"


def _direct(build: PlannedBuild, by_name: Mapping[str, PlannedBuild]) -> list[str]:
    """What a build needs, without what that needs in turn."""
    return [each for each in build.needs if not any(each in by_name[other].needs for other in build.needs)]


def reasons(build: PlannedBuild) -> list[str]:
    """Why a build is not in the cache, a line each."""
    if build.is_new:
        return ["it has not been built yet"]
    if not build.changes:
        return ["its last build is not in the cache any more"]
    return [reason(change) for change in build.changes]


def reason(change: Change) -> str:
    """What a changed input means for a build, in a line."""
    kind, _, name = change.what.partition(".")
    if change.what == "forge":
        return "forge's own code has changed"
    if kind == "host" and change.before and change.now:
        return f"its host requirement {name} has changed"
    if not change.before:
        return f"{change.what} is new: {change.now}"
    if not change.now:
        return f"{change.what} is gone; it was {change.before}"
    return f"{change.what}: {change.before} -> {change.now}"


def to_json(plan: Plan) -> str:
    """A plan as JSON, as ``schemas/plan.schema.json`` has it."""
    data = {
        "version": JSON_VERSION,
        "builds": [{**asdict(build), "doing": str(build.doing)} for build in plan.builds],
        "critical_path": list(plan.critical_path),
        "seconds": round(plan.seconds, 1),
        "work": round(plan.work, 1),
        "unknown": plan.unknown,
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def to_dot(plan: Plan) -> str:
    """A plan as a graph for Graphviz: an arrow from each build to what needs it."""
    lines = ["digraph plan {", "  rankdir=LR;", "  node [shape=box, style=rounded];"]
    critical = set(plan.critical_path)
    for build in plan.builds:
        look = ', style="rounded,filled", fillcolor="#eeeeee"' if build.doing is Doing.CACHED else ""
        look += ", penwidth=2" if build.name in critical else ""
        lines.append(f"  {_quoted(build.name)} [label={_quoted(f'{build.name} ({build.doing})')}{look}];")
    by_name = {build.name: build for build in plan.builds}
    for build in plan.builds:
        lines += [f"  {_quoted(each)} -> {_quoted(build.name)};" for each in _direct(build, by_name)]
    return "\n".join([*lines, "}"]) + "\n"


def to_mermaid(plan: Plan) -> str:
    """A plan as a flowchart for Mermaid, which GitHub draws in Markdown."""
    names = {build.name: f"n{number}" for number, build in enumerate(plan.builds)}
    lines = ["flowchart LR"]
    lines += [f"  {names[build.name]}[{_quoted(f'{build.name} ({build.doing})')}]" for build in plan.builds]
    by_name = {build.name: build for build in plan.builds}
    for build in plan.builds:
        lines += [f"  {names[each]} --> {names[build.name]}" for each in _direct(build, by_name)]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', "'") + '"'


def _summary(plan: Plan, jobs: int) -> Iterator[str]:
    counted = Counter(build.doing for build in plan.builds)
    text = f"{counted[Doing.BUILD]} to build, {counted[Doing.CACHED]} in the cache"
    if counted[Doing.SHARED]:
        text += f", {counted[Doing.SHARED]} in the shared cache"
    if before := counted[Doing.FETCH] + counted[Doing.PREPARE]:
        text += f", {before} to fetch or prepare"
    if not counted[Doing.BUILD]:
        yield text
        return
    text += f"; about {minutes(max(plan.seconds, plan.work / jobs))}"
    if plan.unknown:
        text += f" ({plan.unknown} of them never built before: a minute each)"
    if heaviest := max((build.memory or 0 for build in plan.builds if build.doing is not Doing.CACHED), default=0):
        text += f"; up to {heaviest / 1e9:.1f} GB of memory for one of them"
    yield text
    if len(plan.critical_path) > 1:
        yield f"longest chain ({minutes(plan.seconds)}): {' -> '.join(plan.critical_path)}"


def minutes(seconds: float) -> str:
    """A time for people."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
