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
        latest: The last time that this very node was made; None if it never was.
    """

    seconds: float | None
    memory: int
    latest: LatestBuild | None


def estimate(name: str, work: Work) -> Estimate:
    """What a node will take: as much as the last time, or as its recipe took for another target or Python."""
    if isinstance(work, Prerequisite):
        latest = known = read_latest(work.home, slug(name))
        seconds: float | None = work.seconds
    else:
        home, recipe = work.context.home, work.step.recipe
        latest = known = read_latest(home, build_name(recipe))
        if known is None:
            named = rf"{re.escape(recipe.normalized_name)}-(?:{_BUILT_FOR})(?:-\d+\.\d+)?"
            known = read_newest(home, re.compile(named, re.ASCII))
        seconds = None
    return Estimate(seconds, 0, latest) if known is None else Estimate(known.seconds, known.memory, latest)


def slug(name: str) -> str:
    """A node's name as that of a file."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)
