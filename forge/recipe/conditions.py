"""The builds that a recipe's conditions tell apart: enough targets, Pythons and variants to see each of its values."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from forge.base.target import DEFAULT_IOS_VERSION, IOSVersion, select_targets
from forge.recipe.evaluate import evaluate
from forge.recipe.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from forge.base.target import Target
    from forge.recipe.model import EvaluatedRecipe, Recipe


def every_evaluation(recipe: Recipe, python: str) -> Iterator[EvaluatedRecipe]:
    """A recipe for each of `every_choice`.

    Args:
        recipe: The recipe.
        python: As for `every_choice`.

    Raises:
        InvalidRecipeError: A value is wrong once its variables are expanded.
    """
    for target, minor, chosen in every_choice(recipe, python):
        yield evaluate(recipe, target, minor, chosen)


def every_choice(recipe: Recipe, python: str) -> Iterator[tuple[Target, str, tuple[str, ...]]]:
    """Each combination of what a recipe's conditions ask: target with minimum iOS version, Python, variants.

    Versions are those that its specifiers name and their neighbours, since a condition changes nowhere else.

    Args:
        recipe: The recipe.
        python: Python's major.minor, which is among those taken whatever the conditions say, if the recipe supports it.
    """
    conditions = [value.when for value in recipe_values(recipe) if value.when is not None]
    asked = [text for when in conditions for text in when.ios_version]
    asked += [text for variant in recipe.variants for text in variant.ios_version]
    versions = sorted({DEFAULT_IOS_VERSION, *_ios_versions(asked)})
    asked = [text for when in conditions for text in when.python] + ([recipe.python] if recipe.python else [])
    pythons = sorted(minor for minor in {python, *_pythons(asked)} if recipe.supports(minor))
    variants = [(), *((variant.name,) for variant in recipe.variants)]
    for ios_version, minor, chosen in itertools.product(versions, pythons, variants):
        for target in select_targets(ios_version=ios_version):
            yield target, minor, chosen


def recipe_values(recipe: Recipe) -> Iterator[Value]:
    """Every value that a recipe has, wherever it stands, with and without a condition."""
    waiting: list[object] = [*vars(recipe).values(), *vars(recipe.trial).values(), recipe.extensions]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Value):
            yield item
        elif isinstance(item, tuple):
            waiting += item
        elif isinstance(item, dict):
            waiting += item.values()


def _named(specifiers: Iterable[str]) -> Iterator[tuple[int, int]]:
    for text in specifiers:
        for each in SpecifierSet(text):
            release = (*Version(each.version.removesuffix(".*")).release, 0)
            yield release[0], release[1]


def _ios_versions(specifiers: Iterable[str]) -> Iterator[IOSVersion]:
    for major, minor in _named(specifiers):
        for tenths in (major * 10 + minor - 1, major * 10 + minor, major * 10 + minor + 1, (major + 1) * 10):
            if tenths // 10 >= 12 and minor <= 9:  # below is no iOS that PEP 730 knows, nor a minor version above 9
                yield IOSVersion(tenths // 10, tenths % 10)


def _pythons(specifiers: Iterable[str]) -> Iterator[str]:
    for major, minor in _named(specifiers):
        yield from (f"{major}.{each}" for each in (minor - 1, minor, minor + 1) if (major, each) >= (3, 13))
