"""What built wheels themselves require at run time: built along where there is a recipe, without the recipe saying so.

A project declares its requirements in its metadata (Requires-Dist), which is known once its wheel is there. zstandard's
names cffi: without cffi's iOS wheel it does not import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name, parse_wheel_filename

from forge.base.errors import ForgeError, WheelError
from forge.base.markers import target_environment
from forge.plan.closure import closure
from forge.plan.matrix import remaining, serves
from forge.plan.run import Failure, run_steps
from forge.wheel.contents import read_wheel
from forge.wheel.name import parse_wheel_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.crossbuild.context import BuildContext
    from forge.plan.closure import Step
    from forge.plan.run import Result
    from forge.recipe.store import RecipeStore


def build_steps(
    steps: Sequence[Step], target: Target, context: BuildContext, store: RecipeStore, out: Path, progress: Progress,
    variants: Collection[str] = (), results: list[Result] | None = None, besides: Sequence[str] = (),
    failures: list[Failure] | None = None,
) -> list[Result]:  # fmt: skip
    """Build the steps of one target's closure, then what the wheels require that forge has recipes for, and so on.

    Args:
        steps: What was planned.
        target: For what.
        context: Toolchain and Pythons.
        store: Where recipes are found.
        out: Where the wheels go.
        progress: Receives progress updates.
        variants: Variants to build, each in every recipe that declares it.
        results: Where what is done is appended, so that a failure leaves it; None for a new list. What is in it and
            serves this version of Python, having been built for an older one, is not built again.
        besides: What is required besides, e.g. by tests (PEP 508).
        failures: Where failures are appended, to go on with what does not need what failed; None to raise the first.

    Raises:
        ForgeError: The first failure, if *failures* is None.
        WheelError: A wheel requires another version than the recipe builds; what was built is in the output.
    """
    results = [] if results is None else results
    start = len(results)
    minor = context.python.minor
    wheels = [result.wheel for result in results if serves(result.wheel.name, minor) and is_for(result.wheel, target)]
    run_steps(remaining(steps, results, minor), context, out, progress, results, failures)
    known = {step.recipe.normalized_name: step.recipe.version for step in steps}
    known |= {name: str(version) for name, version, _, _ in (parse_wheel_filename(wheel.name) for wheel in wheels)}
    available = frozenset(store.names())
    waiting = [("what is tested", tuple(_applying(besides, target, context.python.full_version)))]
    wheels += [result.wheel for result in results[start:]]
    while waiting or wheels:
        if not waiting:
            wheel = wheels.pop(0)
            declared = read_wheel(wheel).metadata.requires_dist
            waiting.append((wheel.name, tuple(_applying(declared, target, context.python.full_version))))
        who, requirements = waiting.pop()
        try:
            found = _required(who, requirements, known, available, target, context.python.minor, store, variants)
        except ForgeError as error:
            if failures is None:
                raise
            failures.append(Failure(who, error))
            continue
        if found:
            known |= {step.recipe.normalized_name: step.recipe.version for step in found}
            there = {result.subject for result in results[start:]}
            more = run_steps(remaining(found, results, minor), context, out, progress, None, failures)
            new = [result for result in more if result.subject not in there]
            wheels += [result.wheel for result in new]
            results += new
    return results


def is_for(wheel: Path, target: Target) -> bool:
    """Whether a wheel's name says that it is for a target, or for all of them."""
    platforms = parse_wheel_name(wheel.name).platforms
    return "any" in platforms or target.platform_tag in platforms


def _required(
    who: str, requirements: Sequence[Requirement], known: Mapping[NormalizedName, str], available: frozenset[str],
    target: Target, python: str, store: RecipeStore, variants: Collection[str],
) -> tuple[Step, ...]:  # fmt: skip
    """The builds that requirements take beyond those that are known, by name and version.

    Raises:
        RecipeError: A recipe is wrong.
        WheelError: A requirement does not admit the version that the recipe builds.
    """
    recipes = {
        name: store.load(name)
        for each in requirements
        if (name := canonicalize_name(each.name)) in available and name not in known
    }
    versions = {**known, **{name: recipe.version for name, recipe in recipes.items()}}
    for each in requirements:
        version = versions.get(canonicalize_name(each.name))
        if version is not None and not each.specifier.contains(version, prereleases=True):
            raise WheelError(
                f"{who} requires {each.name}{each.specifier}, but the recipe builds {each.name} {version}",
                hint=f"update the recipe of {each.name}",
            )
    return closure(list(recipes.values()), target, python, store, variants, checked=True) if recipes else ()


def _applying(texts: Iterable[str], target: Target, python: str) -> Iterator[Requirement]:
    """Those of some requirements that hold on the target, without those of extras."""
    environment = target_environment(target, python) | {"extra": ""}
    for text in texts:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue  # the check of the wheel says so
        if requirement.marker is None or requirement.marker.evaluate(environment):
            yield requirement
