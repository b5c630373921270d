"""A recipe's lock against what its source and its recipe require."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.base.errors import RecipeError
from forge.crossbuild.backends import back_end
from forge.recipe.lock import lock_covers, read_lock, unmet

if TYPE_CHECKING:
    from pathlib import Path

    from forge.recipe.model import EvaluatedRecipe


def check_lock(recipe: EvaluatedRecipe, tree: Path) -> Path | None:
    """The recipe's lock, compared with what the source and the recipe require; None if none is needed.

    Only a native library without build requirements needs no lock: neither of its own nor of its back end.

    Raises:
        RecipeError: The lock is missing or out of date.
    """
    lock = recipe.lock_file
    hint = f"run 'forge lock {recipe.normalized_name}' and commit the file"
    if recipe.needs_no_lock and not lock.is_file():
        return None
    if not lock.is_file():
        raise RecipeError(f"the build requirements of {recipe.name} are not locked ({lock.name} is missing)", hint=hint)
    requires, pinned = back_end(recipe).requires(recipe, tree), read_lock(lock)
    if not lock_covers(pinned, requires):
        raise RecipeError(
            f"{recipe.name}: {lock.name} is out of date: the build requirements have changed since it was made",
            hint=hint,
        )
    if wrong := unmet(pinned, requires, recipe.python):
        raise RecipeError(
            f"{recipe.name}: {lock.name} does not hold for Python {recipe.python}: {'; '.join(wrong)}", hint=hint
        )
    return lock
