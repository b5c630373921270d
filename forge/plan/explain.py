"""What a graph of builds would do, and why: what is in the cache, what has changed, and how long it takes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from forge.plan.cache import UNKNOWN_SECONDS, is_cached, read_inputs
from forge.plan.estimates import estimate
from forge.plan.prerequisites import Prerequisite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forge.plan.build_graph import Work
    from forge.plan.graph import Graph
    from forge.plan.shared.cache import SharedCache

_SHOWN = 60


class Doing(StrEnum):
    """What becomes of a node."""

    CACHED = "cached"
    SHARED = "shared"
    """It is in the shared cache."""
    BUILD = "build"
    PREPARE = "prepare"
    """It is no wheel, but what builds need: an SDK, a Python, an environment, a runtime."""
    FETCH = "fetch"
    """It is a download."""


@dataclass(frozen=True)
class Change:
    """An input that differs from that of the last build.

    Args:
        what: Its path in the inputs, e.g. ``recipe.env.CFLAGS``.
        before: What it was, as JSON; empty if it was not there.
        now: What it is, as JSON; empty if it is gone.
    """

    what: str
    before: str
    now: str


@dataclass(frozen=True)
class PlannedBuild:
    """One build of a plan.

    Args:
        name: What is built.
        fingerprint: Its fingerprint; empty for what is no wheel.
        doing: What becomes of it.
        needs: The names of the builds before it.
        seconds: How long it will probably take, by the clock (`forge.plan.estimates`); None if that is not known.
        memory: The most memory that its programs will probably take, in bytes; None if that is not known.
        is_new: Whether no such build is known.
        changes: What has changed since the last one.
        inputs: What its fingerprint covers, as JSON data; None for what is no wheel.
    """

    name: str
    fingerprint: str
    doing: Doing
    needs: tuple[str, ...]
    seconds: float | None
    memory: int | None
    is_new: bool
    changes: tuple[Change, ...]
    inputs: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Plan:
    """A whole plan.

    Args:
        builds: The builds, each after what it needs.
        critical_path: The chain of builds, of those to build, that takes longest.
        seconds: How long they take at the least, by the clock, with as many CPUs as they like.
        work: How long they take one after the other.
        unknown: How many of them have never been built, for no target and Python; each is taken for a minute.
    """

    builds: tuple[PlannedBuild, ...]
    critical_path: tuple[str, ...]
    seconds: float
    work: float
    unknown: int


def explain_plan(graph: Graph[Work], cache: SharedCache | None = None) -> Plan:
    """What a graph of builds would do.

    Args:
        graph: From `forge.plan.builds.plan_requests`.
        cache: The shared cache, if there is one.
    """
    builds = {name: _explain(name, node.work, node.needs, cache) for name, node in graph.nodes.items()}

    def cost(name: str) -> float:
        build = builds[name]
        if build.doing in (Doing.CACHED, Doing.SHARED):
            return 0.0
        return UNKNOWN_SECONDS if build.seconds is None else build.seconds

    path = [name for name in graph.critical_path(lambda node: cost(node.name)) if cost(name)]
    return Plan(
        tuple(builds.values()),
        tuple(path),
        sum(map(cost, path)),
        sum(map(cost, builds)),
        sum(each.doing is Doing.BUILD and each.seconds is None for each in builds.values()),
    )


def _explain(name: str, work: Work, needs: tuple[str, ...], cache: SharedCache | None) -> PlannedBuild:
    known = estimate(name, work)
    latest = known.latest
    memory = known.memory or None
    if isinstance(work, Prerequisite):
        doing = Doing.FETCH if work.is_download else Doing.PREPARE
        return PlannedBuild(name, "", doing, needs, known.seconds, memory, is_new=False, changes=())
    home, key = work.context.home, work.key
    doing = Doing.CACHED if is_cached(home, key) else Doing.BUILD
    if doing is Doing.BUILD and cache is not None and cache.has(key):
        doing = Doing.SHARED
    before = None if latest is None or latest.fingerprint == key else read_inputs(home, latest.fingerprint)
    inputs = as_json(work.inputs)
    changes = () if before is None or doing is not Doing.BUILD else tuple(changed(before, inputs))
    return PlannedBuild(name, key, doing, needs, known.seconds, memory, latest is None, changes, inputs)


def as_json(inputs: Mapping[str, object]) -> dict[str, Any]:
    """What a fingerprint covers, as it reads once it was written to the cache."""
    data: dict[str, Any] = json.loads(json.dumps(inputs, sort_keys=True))
    return data


def changed(before: Any, now: Any, path: str = "") -> Iterator[Change]:
    """Where two values of JSON differ, as deep as objects go.

    Args:
        before: The one.
        now: The other.
        path: Where they are.
    """
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted({*before, *now}):
            inner = f"{path}.{key}" if path else key
            if key not in before:
                yield Change(inner, "", _shown(now[key]))
            elif key not in now:
                yield Change(inner, _shown(before[key]), "")
            else:
                yield from changed(before[key], now[key], inner)
    elif before != now:
        yield Change(path, _shown(before), _shown(now))


def _shown(value: Any) -> str:
    return shortened(value[:12] if _is_hash(value) else json.dumps(value, ensure_ascii=False))


def shortened(text: str) -> str:
    """A value as text, as long as a line has room for."""
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _is_hash(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef")
