"""What has to be built for what was asked for: recipes and what they require, each after what it needs.

A recipe's host requirements are recipes; so are those of its run requirements that forge has a recipe for, since a
wheel is of no use on iOS without the compiled wheels that it imports.
"""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from forge.base.errors import RecipeError
from forge.recipe.evaluate import evaluate
from forge.recipe.variants import check_variants

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from forge.base.target import Target
    from forge.recipe.model import EvaluatedRecipe, Recipe
    from forge.recipe.store import RecipeStore


@dataclass(frozen=True)
class Step:
    """One build of a closure.

    Args:
        recipe: Evaluated for the target.
        host: The host requirements' names and those that they need in turn; all are steps before this one.
        wanted: Whether it was asked for, or is needed to run what was.
    """

    recipe: EvaluatedRecipe
    host: tuple[NormalizedName, ...]
    wanted: bool


def closure(
    recipes: Sequence[Recipe], target: Target, python: str, store: RecipeStore, variants: Collection[str] = (),
    *, checked: bool = False,
) -> tuple[Step, ...]:  # fmt: skip
    """The builds that recipes take for a target, in an order in which each comes after what it needs.

    Args:
        recipes: What was asked for.
        target: For what.
        python: Python's major.minor, e.g. ``3.13``.
        store: Where requirements are found.
        variants: Variants to build, each in every recipe that declares it.
        checked: Whether these recipes are some of those for which the variants were checked already: that none of these
            declares one is no error then.

    Raises:
        RecipeError: A host requirement has no recipe, or one of another version, or needs itself; no recipe declares a
            variant.
        InvalidRecipeError: A recipe is wrong, or the target does not admit a variant.
    """
    found: dict[NormalizedName, EvaluatedRecipe] = {}
    run: dict[NormalizedName, tuple[NormalizedName, ...]] = {}
    host: dict[NormalizedName, tuple[NormalizedName, ...]] = {}
    waiting = list(recipes)
    known = {recipe.normalized_name: recipe for recipe in recipes}
    while waiting:
        recipe = waiting.pop(0)
        name = recipe.normalized_name
        if name in found:
            continue
        evaluated = evaluate(recipe, target, python, variants)
        found[name] = evaluated
        host[name] = tuple(_names(evaluated.host, evaluated, store, known, must_exist=True))
        run[name] = tuple(_names(evaluated.run, evaluated, store, known, must_exist=False))
        waiting += [known[other] for other in (*host[name], *run[name]) if other not in found]
    if not checked:
        check_variants(variants, [evaluated.recipe for evaluated in found.values()], target)
    order = _in_order({name: (*host[name], *run[name]) for name in found})
    wanted = _reached([recipe.normalized_name for recipe in recipes], run)
    # What a wheel links or reads it usually imports too: all of a wanted one's packages go along.
    wanted |= {other for name in wanted for other in _reached(host[name], host) if not found[other].is_native_library}
    return tuple(Step(found[name], _sorted(_reached(host[name], host), order), name in wanted) for name in order)


def _names(
    requirements: Iterable[str], dependent: EvaluatedRecipe, store: RecipeStore,
    known: dict[NormalizedName, Recipe], *, must_exist: bool,
) -> Iterable[NormalizedName]:  # fmt: skip
    """The recipes that requirements name; those are added to *known*."""
    environment: dict[str, str] = {
        **_default_environment(),
        "sys_platform": "ios",
        "platform_system": "iOS",
        "os_name": "posix",
    }
    available = store.names()
    for text in requirements:
        requirement = Requirement(text)
        name = canonicalize_name(requirement.name)
        if requirement.marker is not None and not requirement.marker.evaluate(environment):
            continue
        if name not in known and name not in available and not must_exist:
            continue  # a pure package of the index
        recipe = known[name] if name in known else store.load(name)
        if not requirement.specifier.contains(recipe.version, prereleases=True):
            raise RecipeError(
                f"{dependent.name} {dependent.version} requires {requirement}, the recipe is of {recipe.version}",
                hint=f"change {recipe.file.parent.name}'s version or {dependent.name}'s requirement",
            )
        known[name] = recipe
        yield name


def _default_environment() -> dict[str, str]:
    return {name: str(value) for name, value in default_environment().items()}


def _in_order(graph: Mapping[NormalizedName, Sequence[NormalizedName]]) -> tuple[NormalizedName, ...]:
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise RecipeError(
            f"recipes that need each other: {' needs '.join(reversed(error.args[1]))}",
            hint="break the circle: one of them has to be built without the other",
        ) from None


def _reached(
    names: Iterable[NormalizedName], edges: Mapping[NormalizedName, Sequence[NormalizedName]]
) -> set[NormalizedName]:
    """Names, and what is reached from them over edges."""
    seen: set[NormalizedName] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += edges[name]
    return seen


def _sorted(names: set[NormalizedName], order: Sequence[NormalizedName]) -> tuple[NormalizedName, ...]:
    return tuple(name for name in order if name in names)
