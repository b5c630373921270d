"""What built wheels themselves require at run time: built along where there is a recipe, without the recipe saying so.

A project declares its requirements in its metadata (Requires-Dist), which is known once its wheel is there. zstandard's
names cffi: without cffi's iOS wheel it does not import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import NormalizedName, canonicalize_name

from forge.base.errors import WheelError
from forge.plan.closure import closure
from forge.wheel.name import parse_wheel_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from packaging.requirements import Requirement

    from forge.base.target import Target
    from forge.plan.closure import Step
    from forge.recipe.store import RecipeStore


def is_for(wheel: Path, target: Target) -> bool:
    """Whether a wheel's name says that it is for a target, or for all of them."""
    platforms = parse_wheel_name(wheel.name).platforms
    return "any" in platforms or target.platform_tag in platforms


def required_steps(
    who: str, requirements: Sequence[Requirement], known: Mapping[NormalizedName, str], available: frozenset[str],
    target: Target, python: str, store: RecipeStore, variants: Collection[str],
) -> tuple[Step, ...]:  # fmt: skip
    """The builds that requirements take beyond those that are known, by name and version.

    Args:
        who: What requires them, for messages.
        requirements: The requirements.
        known: What is built already, or will be.
        available: The names of all recipes.
        target: For what.
        python: Python's major.minor.
        store: Where recipes are found.
        variants: Variants to build, each in every recipe that declares it.

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
