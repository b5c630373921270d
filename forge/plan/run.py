"""Building recipes for targets: each taken from the cache if it is there, else built, then put into the output."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.base.atomic import atomic_file, locked
from forge.base.hashing import fingerprint
from forge.build.recipe_build import build_recipe
from forge.plan.cache import find_wheel, new_entry
from forge.plan.fingerprint import build_inputs
from forge.recipe.evaluate import evaluate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from forge.audit.finding import Finding
    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.build.recipe_build import Setting
    from forge.recipe.model import Recipe


@dataclass(frozen=True)
class Result:
    """What became of one recipe and target.

    Args:
        subject: Name, version and target, for people.
        wheel: The wheel in the output directory.
        fingerprint: What it was made from.
        built: False if it was taken from the cache.
        warnings: What the check had to say that is no failure; empty for a cached wheel.
        work: The build's work directory, if it was to be kept.
    """

    subject: str
    wheel: Path
    fingerprint: str
    built: bool
    warnings: tuple[Finding, ...] = ()
    work: Path | None = None


def subject_of(recipe: Recipe, target: Target) -> str:
    """What a build is called on the screen."""
    return f"{recipe.name} {recipe.version} {target}"


def build_all(
    recipes: Sequence[Recipe], targets: Sequence[Target], setting: Setting, out: Path, progress: Progress
) -> list[Result]:
    """Build every recipe for every target, one after the other.

    Each build uses every core by itself, so nothing is gained by running two at once on one machine.

    Args:
        recipes: What to build.
        targets: For what.
        setting: Toolchain and Pythons.
        out: Where the wheels go; made if it is not there.
        progress: Is told what happens.

    Raises:
        ForgeError: The first failure; what was built before it is in the cache and in the output.
    """
    return [build_one(recipe, target, setting, out, progress) for recipe in recipes for target in targets]


def build_one(recipe: Recipe, target: Target, setting: Setting, out: Path, progress: Progress) -> Result:
    """Build one recipe for one target, or take it from the cache.

    Raises:
        ForgeError: It cannot be built, or is not what the recipe promised.
    """
    subject = subject_of(recipe, target)
    progress.phase(subject, "look it up")
    evaluated = evaluate(recipe, target, setting.python.minor)
    inputs = build_inputs(evaluated, setting)
    key = fingerprint(inputs)
    with locked(setting.home.locks, f"wheel-{key[:32]}"):
        if (cached := find_wheel(setting.home, key)) is not None:
            wheel = _publish(cached.path, out)
            progress.phase(subject, "taken from the cache")
            return Result(subject, wheel, key, built=False)
        with new_entry(setting.home, key, inputs) as entry:
            built = build_recipe(evaluated, setting, key=key, out=entry, progress=progress, subject=subject)
            shutil.copyfile(built.log, entry / "build.log")
        made = find_wheel(setting.home, key)
        assert made is not None  # noqa: S101 - stored one line above, under a lock
        wheel = _publish(made.path, out)
    progress.phase(subject, "done")
    return Result(subject, wheel, key, built=True, warnings=built.warnings, work=built.work)


def _publish(wheel: Path, out: Path) -> Path:
    with atomic_file(out / wheel.name) as file, wheel.open("rb") as source:
        shutil.copyfileobj(source, file)
    return out / wheel.name
