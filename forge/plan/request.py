"""What is asked of a run of builds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forge.base.target import Target
    from forge.plan.closure import Step
    from forge.plan.provision import Context


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
