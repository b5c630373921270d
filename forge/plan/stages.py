"""A plan as jobs for a CI system that knows no graphs: stages one after the other, in each what can be built together.

GitHub's ``strategy.matrix`` makes jobs of a list (``include``), up to 256 of them. Wheels go from stage to stage
through the shared cache.
"""

from __future__ import annotations

import json
import math
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forge.plan.build_graph import WheelBuild
from forge.plan.cache import UNKNOWN_SECONDS, is_cached
from forge.plan.estimates import estimate
from forge.plan.provision import PlannedContext

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from forge.base.target import Target
    from forge.plan.build_graph import Work
    from forge.plan.graph import Graph
    from forge.plan.shared.cache import SharedCache

JSON_VERSION = 1

MOST_JOBS = 256
"""How many jobs GitHub makes of one matrix."""

RUNNER = "ubuntu-24.04"
"""The machine that jobs ask for."""


@dataclass(frozen=True)
class StageJob:
    """One job of a stage: one wheel, or several that are built by one command.

    Args:
        name: What is built.
        recipes: The names of the recipes.
        target: The target.
        python: Python's version, as it was asked for.
        seconds: About how long it takes; what was never built counts as a minute.
    """

    name: str
    recipes: tuple[str, ...]
    target: Target
    python: str
    seconds: float

    @property
    def minutes(self) -> int:
        """About how long it takes, rounded up."""
        return max(1, math.ceil(self.seconds / 60))


Stage = tuple[StageJob, ...]


def make_stages(
    graph: Graph[Work], cache: SharedCache | None = None, most: int = MOST_JOBS, only: Collection[str] | None = None
) -> tuple[Stage, ...]:
    """What of a graph is to be built, each stage after what it links.

    Where there is a shared cache, what is only in this machine's own is built too: jobs run on other machines.

    Args:
        graph: From `forge.plan.builds.plan_requests`.
        cache: The shared cache, if there is one.
        most: How many jobs a stage may have. The smallest are put together where there are more, but only those for the
            same target and Python, so there may be more all the same.
        only: The names of the builds that count; None for all.
    """
    depths: dict[str, int] = {}
    stages: list[list[StageJob]] = []
    for name, node in graph.nodes.items():
        work = node.work
        if not isinstance(work, WheelBuild) or (only is not None and name not in only) or _is_there(work, cache):
            continue
        depth = depths[name] = 1 + max((depths[each] for each in node.needs if each in depths), default=-1)
        if depth == len(stages):
            stages.append([])
        recipe, context = work.step.recipe, work.context
        python = context.version if isinstance(context, PlannedContext) else context.python.minor
        seconds = estimate(name, work).seconds or UNKNOWN_SECONDS
        stages[depth].append(StageJob(name, (recipe.normalized_name,), recipe.target, python, seconds))
    return tuple(_merged(stage, most) for stage in stages)


def _is_there(work: WheelBuild, cache: SharedCache | None) -> bool:
    return is_cached(work.context.home, work.key) if cache is None else cache.has(work.key)


def _merged(jobs: Sequence[StageJob], most: int) -> Stage:
    """Jobs, of which the two smallest of one target and Python are put together until there are no more than *most*."""
    groups: dict[tuple[Target, str], list[StageJob]] = {}
    for job in jobs:
        groups.setdefault((job.target, job.python), []).append(job)
    for _ in range(len(jobs) - most):
        several = [group for group in groups.values() if len(group) > 1]
        if not several:
            break
        for group in several:
            group.sort(key=lambda job: job.seconds)
        group = min(several, key=lambda group: group[0].seconds + group[1].seconds)
        group[:2] = [_together(*group[:2])]
    return tuple(sorted((job for group in groups.values() for job in group), key=lambda job: -job.seconds))


def _together(one: StageJob, other: StageJob) -> StageJob:
    recipes = tuple(sorted((*one.recipes, *other.recipes)))
    name = f"{len(recipes)} wheels for {one.target} Python {one.python}: {recipes[0]} to {recipes[-1]}"
    return StageJob(name, recipes, one.target, one.python, one.seconds + other.seconds)


def to_matrix(stages: Sequence[Stage], options: Sequence[str], last: Sequence[str], runner: str = RUNNER) -> str:
    """Stages as JSON, as ``schemas/matrix.schema.json`` has it; on one line, since GitHub's outputs are lines.

    Args:
        stages: The stages.
        options: Options of ``forge build`` that all jobs have.
        last: The arguments of the ``forge build`` that gathers everything when all stages are done; none if there is
            nothing to gather.
        runner: The machine that jobs ask for.
    """
    data = {
        "version": JSON_VERSION,
        "stages": [{"include": [_include(job, options, runner) for job in stage]} for stage in stages],
        "last": shlex.join(["forge", "build", *last, *options, "--cache", "write"]) if last else "",
        "minutes": sum(max(job.minutes for job in stage) for stage in stages),
    }
    return json.dumps(data, ensure_ascii=False) + "\n"


def _include(job: StageJob, options: Sequence[str], runner: str) -> Mapping[str, Any]:
    target = job.target
    # What a wheel requires at run time is a job of its own, or of the last command's.
    command = [
        "forge", "build", *job.recipes, "--abi", str(target.abi), "--arch", str(target.arch), "--python", job.python,
        *options, "--no-deps", "--cache", "write",
    ]  # fmt: skip
    return {
        "name": job.name,
        "recipe": " ".join(job.recipes),
        "abi": str(target.abi),
        "arch": str(target.arch),
        "python": job.python,
        "runner": runner,
        "command": shlex.join(command),
        "minutes": job.minutes,
    }
