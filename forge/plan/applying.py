"""Which requirements of a wheel hold on iOS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.base.markers import target_environment
from forge.wheel.requirements import applies, valid_requirements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from packaging.requirements import Requirement

    from forge.base.target import Target


def applying(texts: Iterable[str], target: Target, *pythons: str) -> Iterator[Requirement]:
    """Those of some requirements that hold on the target in any of some Pythons, without those of extras.

    Args:
        texts: PEP 508; what is not valid, or cannot be evaluated, is left out.
        target: The target.
        pythons: Versions of Python, e.g. ``3.13``.
    """
    environments = [target_environment(target, python) for python in pythons]
    for requirement in valid_requirements(texts):
        if any(applies(requirement, environment) for environment in environments):
            yield requirement
