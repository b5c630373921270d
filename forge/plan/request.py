"""What is asked of a run of builds, and how it is to go about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from forge.base.target import Target
    from forge.plan.closure import Step
    from forge.plan.executor import Executor
    from forge.plan.provision import Context
    from forge.plan.shared.cache import SharedCache


@dataclass(frozen=True)
class Request:
    """Wheels for one target and one Python.

    Args:
        steps: Their closure (`forge.plan.closure`).
        target: The target.
        context: Toolchain and Pythons.
        besides: What is required besides, e.g. by tests (PEP 508).
    """

    steps: Sequence[Step]
    target: Target
    context: Context
    besides: Sequence[str] = ()


@dataclass(frozen=True)
class RunOptions:
    """How a run of builds goes about it.

    Args:
        variants: Variants to build, each in every recipe that declares it.
        jobs: How many processes may run at once; None for as many as there are CPUs.
        follow: Whether to build what wheels require at run time, too.
        afresh: The normalised names of recipes that are built whether they are in the cache or not.
        cache: The shared cache, if there is one.
        executor: What builds wheels elsewhere; None builds them on this machine.
    """

    variants: Collection[str] = ()
    jobs: int | None = None
    follow: bool = True
    afresh: Collection[str] = ()
    cache: SharedCache | None = None
    executor: Executor | None = None


def requests_for(
    plans: Mapping[str, Sequence[Sequence[Step]]], targets: Sequence[Target], contexts: Mapping[str, Context]
) -> list[Request]:
    """A request for each version of Python and each target.

    Args:
        plans: By version, the closure of each target (`forge.plan.closure.plan_builds`).
        targets: The targets.
        contexts: Toolchain and Pythons, by version.
    """
    return [
        Request(steps, target, contexts[version])
        for version, closures in plans.items()
        for target, steps in zip(targets, closures, strict=True)
    ]
