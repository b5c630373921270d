"""The recipes whose wheels differ from those of the merge base, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from forge.plan.cache import UNKNOWN_SECONDS
from forge.plan.changes.causes import Cause, Kind, causes
from forge.plan.explain import Doing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from forge.plan.build_graph import Work
    from forge.plan.changes.base import Base
    from forge.plan.changes.builds import KnownBuild
    from forge.plan.changes.causes import Around
    from forge.plan.explain import Plan
    from forge.plan.graph import Graph
    from forge.recipe.model import Recipe

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


@dataclass(frozen=True)
class ChangedBuild:
    """A wheel that would differ.

    Args:
        name: The build.
        causes: Why.
        doing: What a build would do about it: it may be in the cache already.
        seconds: How long the last such build took; None if that is not known.
    """

    name: str
    causes: tuple[Cause, ...]
    doing: Doing
    seconds: float | None


@dataclass(frozen=True)
class ChangedRecipe:
    """A recipe with a wheel that would differ.

    Args:
        name: Its name.
        version: Its version.
        causes: Why, for any of its wheels.
        builds: Those wheels.
    """

    name: str
    version: str
    causes: tuple[Cause, ...]
    builds: tuple[ChangedBuild, ...]


@dataclass(frozen=True)
class Dependent:
    """A recipe whose wheels stay the same, but which needs one that differs to run or to be tested.

    Args:
        name: Its name.
        needs: The recipes that it needs.
    """

    name: str
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Changes:
    """What a branch changes.

    Args:
        base: What it is compared with.
        recipes: The recipes with wheels that differ, each after what it needs.
        removed: The recipes that are not built any more: they are gone, or disabled.
        dependents: What needs one of *recipes* to run.
        total: How many recipes are built.
        seconds: How long the builds take at the least, with as many CPUs as they like.
        work: How long they take one after the other.
        unknown: How many of them were never run; each counts as a minute.
    """

    base: Base
    recipes: tuple[ChangedRecipe, ...]
    removed: tuple[str, ...]
    dependents: tuple[Dependent, ...]
    total: int
    seconds: float
    work: float
    unknown: int

    @property
    def names(self) -> frozenset[str]:
        """The names of the builds."""
        return frozenset(build.name for recipe in self.recipes for build in recipe.builds)


@dataclass(frozen=True)
class Branch:
    """A branch as it is now.

    Args:
        recipes: All recipes that are built.
        builds: All wheels.
        graph: Their graph.
        plan: What a build would do.
    """

    recipes: Sequence[Recipe]
    builds: Sequence[KnownBuild]
    graph: Graph[Work]
    plan: Plan


def compare(base: Base, before: Sequence[KnownBuild] | str, branch: Branch, around: Around) -> Changes:
    """What differs.

    Args:
        base: The merge base.
        before: Its builds; or why they are not known, and then everything differs.
        branch: The branch.
        around: What else is known of the two trees.
    """
    found: dict[str, tuple[Cause, ...]]
    if isinstance(before, str):
        found = {build.name: (Cause(Kind.UNKNOWN, before),) for build in branch.builds}
        before = ()
    else:
        known = {build.key: build for build in before}
        found = {build.name: causes(known.get(build.key), build, around) for build in branch.builds}
    found = {name: why for name, why in found.items() if why}
    recipes = _by_recipe(found, branch)
    changed = {recipe.name for recipe in recipes}
    there = {recipe.normalized_name for recipe in branch.recipes}
    planned = {build.name: build for build in branch.plan.builds}

    def cost(name: str) -> float:
        if name not in found or planned[name].doing is not Doing.BUILD:
            return 0.0
        seconds = planned[name].seconds
        return UNKNOWN_SECONDS if seconds is None else seconds

    return Changes(
        base,
        recipes,
        tuple(sorted({build.recipe for build in before} - there)),
        _dependents(branch.recipes, changed),
        len(there),
        max(branch.graph.lengths(lambda node: cost(node.name)).values(), default=0.0),
        sum(map(cost, found)),
        sum(planned[name].doing is Doing.BUILD and planned[name].seconds is None for name in found),
    )


def _by_recipe(found: Mapping[str, tuple[Cause, ...]], branch: Branch) -> tuple[ChangedRecipe, ...]:
    planned = {build.name: build for build in branch.plan.builds}
    by_recipe: dict[str, list[KnownBuild]] = {}
    for build in branch.builds:
        if build.name in found:
            by_recipe.setdefault(build.recipe, []).append(build)
    own = {
        recipe: {cause for build in builds for cause in found[build.name] if cause.kind is not Kind.HOST}
        for recipe, builds in by_recipe.items()
    }

    def told(build: KnownBuild) -> tuple[Cause, ...]:
        """Without host requirements that differ only because of others, or for reasons that are told already."""
        kept = [
            cause
            for cause in found[build.name]
            if cause.kind is not Kind.HOST or own.get(canonicalize_name(cause.recipe), set()) - own[build.recipe]
        ]
        return tuple(kept) or found[build.name]

    return tuple(
        ChangedRecipe(
            recipe,
            builds[0].version,
            tuple(dict.fromkeys(cause for build in builds for cause in told(build))),
            tuple(
                ChangedBuild(build.name, told(build), planned[build.name].doing, planned[build.name].seconds)
                for build in builds
            ),
        )
        for recipe, builds in by_recipe.items()
    )


def _dependents(recipes: Iterable[Recipe], changed: set[str]) -> tuple[Dependent, ...]:
    needs = {str(recipe.normalized_name): _needed(recipe) for recipe in recipes}
    reached: dict[str, set[str]] = {}
    waiting = sorted(changed)
    while waiting:
        name = waiting.pop()
        for other in (other for other, needed in needs.items() if name in needed and other not in changed):
            if other not in reached:
                waiting.append(other)
            reached.setdefault(other, set()).add(name)
    return tuple(Dependent(name, tuple(sorted(because))) for name, because in sorted(reached.items()))


def _needed(recipe: Recipe) -> set[str]:
    """What a recipe needs to run and to be tested, as far as it says so."""
    values = (*recipe.run, *recipe.trial.requires, *recipe.trial.suite_requires)
    return {canonicalize_name(found[1]) for value in values if (found := _NAME.match(value.text))}
