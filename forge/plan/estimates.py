"""How long a node takes and how much memory, by what is known of earlier runs on this machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.base.target import select_targets
from forge.plan.cache import read_latest, read_newest
from forge.plan.prerequisites import Prerequisite
from forge.plan.run import build_name

if TYPE_CHECKING:
    from forge.plan.build_graph import Work
    from forge.plan.cache import LatestBuild

_BUILT_FOR = "|".join(["any", *(target.multiarch for target in select_targets())])


@dataclass(frozen=True)
class Estimate:
    """What a run will probably take.

    Args:
        seconds: By the clock; None if nothing like it was ever run.
        memory: The most that its programs take at the same time, in bytes; 0 if that is not known.
    """

    seconds: float | None
    memory: int = 0


def estimate(name: str, work: Work) -> Estimate:
    """What a node will take: as much as the last time, or as its recipe took for another target or Python."""
    latest = latest_run(name, work)
    if latest is None and not isinstance(work, Prerequisite):
        recipe = re.escape(work.step.recipe.normalized_name)
        latest = read_newest(work.context.home, re.compile(rf"{recipe}-(?:{_BUILT_FOR})(?:-\d+\.\d+)?", re.ASCII))
    if latest is not None:
        return Estimate(latest.seconds, latest.memory)
    return Estimate(work.seconds if isinstance(work, Prerequisite) else None)


def latest_run(name: str, work: Work) -> LatestBuild | None:
    """What is known of the last time that a node was made; None if it was never made."""
    if isinstance(work, Prerequisite):
        return read_latest(work.home, slug(name))
    return read_latest(work.context.home, build_name(work.step.recipe))


def slug(name: str) -> str:
    """A node's name as that of a file."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)
