"""What can be told of a build before anything is downloaded or made: its local source, and its lock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.errors import RecipeError
from forge.recipe.diagnostics import Diagnostic, InvalidRecipeError, Location, shown_path
from forge.recipe.lock import lock_covers, read_lock
from forge.recipe.model import PathPin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.recipe.model import EvaluatedRecipe


def preflight_problems(recipe: EvaluatedRecipe) -> Iterator[Diagnostic]:
    """What is missing, or plainly wrong, beside a recipe.

    That a lock covers what the *source* requires can only be told once that is unpacked.
    """
    if isinstance(recipe.source, PathPin) and not Path(recipe.source.path).exists():
        message = f"there is no source {shown_path(Path(recipe.source.path))}"
        yield Diagnostic(recipe.recipe.place("source", "path"), message, "the path is relative to the recipe")
    lock = recipe.lock_file
    hint = f"run 'forge lock {recipe.normalized_name}' and commit the file"
    if not lock.is_file():
        if not recipe.is_native_library or recipe.requires:
            message = f"the build requirements of {recipe.name} are not locked ({lock.name} is missing)"
            yield Diagnostic(recipe.recipe.place("package", "name"), message, hint)
        return
    try:
        covered = lock_covers(read_lock(lock), recipe.requires)
    except InvalidRecipeError as error:
        yield from error.diagnostics
    except RecipeError as error:
        yield Diagnostic(Location(shown_path(lock), 1), error.message, error.hint)
    else:
        if not covered:
            message = f"{lock.name} was made for other build requirements than build.requires has now"
            yield Diagnostic(recipe.recipe.place("build", "requires"), message, hint)
