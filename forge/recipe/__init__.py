"""Recipes: read them, check them, evaluate them for a target, lock their build requirements, find them."""

from forge.recipe.diagnostics import Diagnostic, InvalidRecipeError, Location, Note
from forge.recipe.digest import digest_input
from forge.recipe.evaluate import evaluate
from forge.recipe.lock import (
    BuildLock,
    Pin,
    lock_covers,
    make_lock,
    merge_requires,
    normalized_requires,
    parse_lock,
    read_lock,
)
from forge.recipe.model import (
    About,
    Backend,
    EvaluatedRecipe,
    GitPin,
    PathPin,
    Recipe,
    SdistPin,
    SourcePin,
    Trial,
    UrlPin,
    Variant,
)
from forge.recipe.read import parse_recipe, read_recipe
from forge.recipe.store import RecipeStore, find_recipes
from forge.recipe.variants import check_variants

__all__ = [
    "About",
    "Backend",
    "BuildLock",
    "Diagnostic",
    "EvaluatedRecipe",
    "GitPin",
    "InvalidRecipeError",
    "Location",
    "Note",
    "PathPin",
    "Pin",
    "Recipe",
    "RecipeStore",
    "SdistPin",
    "SourcePin",
    "Trial",
    "UrlPin",
    "Variant",
    "check_variants",
    "digest_input",
    "evaluate",
    "find_recipes",
    "lock_covers",
    "make_lock",
    "merge_requires",
    "normalized_requires",
    "parse_lock",
    "parse_recipe",
    "read_lock",
    "read_recipe",
]
