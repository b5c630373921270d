"""Variants that were chosen for a build: whether its recipes declare them, and whether the target admits them.

A choice holds for everything that is built together, or two parts of it would not fit: each recipe takes those of the
chosen variants that it declares, and is built as ever if it declares none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.base.errors import RecipeError
from forge.recipe.diagnostics import Diagnostic, InvalidRecipeError, did_you_mean
from forge.recipe.values import any_admits

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from forge.base.target import Target
    from forge.recipe.model import Recipe


def check_variants(chosen: Collection[str], recipes: Iterable[Recipe], target: Target) -> None:
    """See that variants can be had.

    Args:
        chosen: Their names.
        recipes: Everything that is built together.
        target: For what.

    Raises:
        RecipeError: No recipe declares one of them.
        InvalidRecipeError: A recipe declares one, but not for the target's minimum iOS version.
    """
    found = [(recipe, variant) for recipe in recipes for variant in recipe.variants]
    known = {variant.name for _, variant in found}
    for name in chosen:
        if name not in known:
            hint = did_you_mean(name, known, "their variants")
            raise RecipeError(f"none of the selected recipes declares the variant {name!r}", hint=hint)
    version = str(target.ios_version)
    problems = [
        Diagnostic(
            variant.where,
            f"{recipe.name}'s variant {variant.name!r} is for iOS {' or '.join(variant.ios_version)}, not {version}",
            "choose another minimum iOS version (--ios-version), or build without the variant",
        )
        for recipe, variant in found
        if variant.name in chosen and variant.ios_version and not any_admits(variant.ios_version, version)
    ]
    if problems:
        raise InvalidRecipeError(problems)
