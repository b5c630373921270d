"""Building recipes for targets: each taken from the cache if it is there, else built, then put into the output."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from forge.base.atomic import atomic_file, locked
from forge.base.errors import ForgeError
from forge.base.hashing import fingerprint
from forge.crossbuild.compilers import find_compilers
from forge.crossbuild.host_prefix import HostPackage
from forge.crossbuild.recipe_build import build_recipe
from forge.plan.cache import CachedWheel, find_wheel, new_entry, store_checked, write_checked
from forge.plan.closure import Step, closure
from forge.plan.fingerprint import build_inputs
from forge.plan.verify import checks_digest, verify_wheel

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from forge.audit.finding import Finding
    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.crossbuild.context import Build, BuildContext
    from forge.recipe.model import EvaluatedRecipe, Recipe
    from forge.recipe.store import RecipeStore


@dataclass(frozen=True)
class Result:
    """What became of one recipe and target.

    Args:
        subject: Name, version and target, for people.
        wheel: The wheel in the output directory.
        fingerprint: What it was made from.
        built: False if it was taken from the cache.
        warnings: What the check found that is not a failure.
        work: The build's work directory, if it was to be kept.
    """

    subject: str
    wheel: Path
    fingerprint: str
    built: bool
    warnings: tuple[Finding, ...] = ()
    work: Path | None = None


@dataclass(frozen=True)
class Failure:
    """A build that failed, or was skipped because of another that did.

    Args:
        subject: What was to be built.
        error: What went wrong; None for a build that was skipped.
        because: Why it was skipped, or an empty string.
    """

    subject: str
    error: ForgeError | None
    because: str = ""


def subject_of(recipe: Recipe, target: Target) -> str:
    """What a build is called on the screen; a pure wheel is built once for all targets."""
    return f"{recipe.name} {recipe.version} {target}" if recipe.native else f"{recipe.name} {recipe.version}"


def build_all(
    recipes: Sequence[Recipe],
    targets: Sequence[Target],
    context: BuildContext,
    store: RecipeStore,
    out: Path,
    progress: Progress,
    variants: Collection[str] = (),
) -> list[Result]:
    """Build every recipe for every target, and before it what it requires, one after the other.

    Each build uses every core by itself, so nothing is gained by running two at once on one machine.

    Args:
        recipes: What to build.
        targets: For what.
        context: Toolchain and Pythons.
        store: Where requirements are found.
        out: Where the wheels go; made if it is not there. Native libraries stay in the cache unless asked for.
        progress: Receives progress updates.
        variants: Variants to build, each in every recipe that declares it.

    Returns:
        What was asked for and what is needed to run it.

    Raises:
        ForgeError: The first failure; what was built before it is in the cache and in the output.
    """
    # All of them before anything is built, so that a recipe that is wrong is told at once.
    closures = [closure(recipes, target, context.python.minor, store, variants) for target in targets]
    return [result for steps in closures for result in run_steps(steps, context, out, progress)]


def build_one(
    recipe: Recipe,
    target: Target,
    context: BuildContext,
    store: RecipeStore,
    out: Path,
    progress: Progress,
    variants: Collection[str] = (),
) -> Result:
    """Build one recipe for one target, as `build_all` does.

    Raises:
        ForgeError: It, or what it requires, cannot be built, or is not what its recipe promised.
    """
    subject = subject_of(recipe, target)
    results = build_all([recipe], [target], context, store, out, progress, variants)
    return next(result for result in results if result.subject == subject)


def run_steps(
    steps: Sequence[Step], context: BuildContext, out: Path, progress: Progress, results: list[Result] | None = None,
    failures: list[Failure] | None = None,
) -> list[Result]:  # fmt: skip
    """Build the steps of one target's closure in order, or take them from the cache.

    Args:
        steps: What to build.
        context: Toolchain and Pythons.
        out: Where the wheels go.
        progress: Receives progress updates.
        results: Where what is done is appended, so that a failure leaves it; None for a new list.
        failures: Where failures are appended, to go on with what does not need what failed; None to raise the first.

    Returns:
        Those that were wanted.

    Raises:
        ForgeError: The first failure, if *failures* is None.
    """
    made: dict[str, HostPackage] = {}
    results = [] if results is None else results
    for step in steps:
        recipe = step.recipe
        subject = subject_of(recipe.recipe, recipe.target)
        if failures and any(failure.subject == subject for failure in failures):
            continue  # a pure wheel, for another target
        if lacking := [name for name in step.host if name not in made]:
            assert failures  # noqa: S101 - host requirements come first, so that only a failure leaves one out
            failures.append(Failure(subject, None, f"its host requirement {lacking[0]} was not built"))
            continue
        try:
            built, cached = _build(recipe, context, [made[name] for name in step.host], progress)
        except ForgeError as error:
            if failures is None:
                raise
            progress.phase(subject, "failed")
            failures.append(Failure(subject, error))
            continue
        made[recipe.normalized_name] = HostPackage(
            recipe.normalized_name,
            recipe.version,
            cached.path,
            built.fingerprint,
            recipe.is_native_library,
            recipe.about.license or "",
        )
        if step.wanted:
            results.append(replace(built, wheel=_publish(cached.path, out)))
    return results


def _build(
    recipe: EvaluatedRecipe, context: BuildContext, host: Sequence[HostPackage], progress: Progress
) -> tuple[Result, CachedWheel]:
    """Build one recipe for one target, or find it in the cache."""
    subject = subject_of(recipe.recipe, recipe.target)
    progress.phase(subject, "check the cache")
    compilers = find_compilers(recipe.languages)
    inputs = build_inputs(recipe, context, {package.name: package.fingerprint for package in host}, compilers)
    key = fingerprint(inputs)

    def in_cache() -> tuple[Result, CachedWheel] | None:
        if (cached := find_wheel(context.home, key)) is None:
            return None
        if cached.checks != checks_digest():
            progress.phase(subject, "check again")
            hint = f"it was built when forge had other checks; its log is {cached.path.parent / 'build.log'}"
            warnings = verify_wheel(cached.path, recipe, context.python, hint=hint)
            cached = store_checked(cached, warnings, checks_digest())
        progress.phase(subject, "taken from the cache")
        return Result(subject, cached.path, key, built=False, warnings=cached.warnings), cached

    warnings: list[Finding] = []

    def verify(wheel: Path, build: Build, *, places: Collection[Path], hint: str) -> None:
        progress.phase(subject, "check")
        warnings.extend(verify_wheel(wheel, build.recipe, build.context.python, places=places, hint=hint))

    if (found := in_cache()) is not None:
        return found
    with locked(context.home.locks, f"wheel-{key[:32]}"):
        if (found := in_cache()) is not None:  # another process built it meanwhile
            return found
        with new_entry(context.home, key, inputs) as entry:
            built = build_recipe(
                recipe, context,
                key=key, out=entry, progress=progress, subject=subject, host=host, compilers=compilers, verify=verify,
            )  # fmt: skip
            shutil.copyfile(built.log, entry / "build.log")
            write_checked(entry, warnings, checks_digest())
        made = find_wheel(context.home, key)
        assert made is not None  # noqa: S101 - stored one line above, under a lock
    progress.phase(subject, "done")
    return Result(subject, made.path, key, built=True, warnings=tuple(warnings), work=built.work), made


def _publish(wheel: Path, out: Path) -> Path:
    with atomic_file(out / wheel.name) as file, wheel.open("rb") as source:
        shutil.copyfileobj(source, file)
    return out / wheel.name
