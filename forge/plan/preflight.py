"""Checks of a build before anything is downloaded or built: its local source and its lock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from forge.base.errors import RecipeError
from forge.recipe.diagnostics import Diagnostic, InvalidRecipeError, Location, shown_path
from forge.recipe.lock import lock_covers, read_lock
from forge.recipe.model import Backend, PathPin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from forge.recipe.model import EvaluatedRecipe, Recipe


_CMAKE_BACKENDS = frozenset({"scikit-build-core", "scikit-build", "py-build-cmake", "cmeel"})
"""Build requirements that run CMake, whatever back end a package declares."""


def cmake_problem(recipe: Recipe, requires: Iterable[str]) -> Diagnostic | None:
    """A complaint about a package that CMake builds, or None.

    Args:
        recipe: Its recipe.
        requires: The names of its build requirements.
    """
    found = sorted(_CMAKE_BACKENDS & set(map(canonicalize_name, requires)))
    if not found or recipe.backend is Backend.SCIKIT_BUILD_CORE:
        return None
    message = f"{recipe.name} is built with CMake (it requires {found[0]}), but its back end is {recipe.backend}"
    hint = f"write 'backend: {Backend.SCIKIT_BUILD_CORE}'"
    return Diagnostic(recipe.place("build", "backend"), message, hint)


def preflight_problems(recipe: EvaluatedRecipe) -> Iterator[Diagnostic]:
    """Problems with a recipe's local source and lock.

    That a lock covers what the *source* requires can only be checked once that is unpacked.
    """
    if isinstance(recipe.source, PathPin) and not Path(recipe.source.path).exists():
        message = f"source not found: {shown_path(Path(recipe.source.path))}"
        yield Diagnostic(recipe.recipe.place("source", "path"), message, "the path is relative to the recipe")
    lock = recipe.lock_file
    hint = f"run 'forge lock {recipe.normalized_name}' and commit the file"
    if not lock.is_file():
        if not recipe.needs_no_lock:
            message = f"the build requirements of {recipe.name} are not locked ({lock.name} is missing)"
            yield Diagnostic(recipe.recipe.place("package", "name"), message, hint)
        return
    try:
        made = read_lock(lock)
        covered = lock_covers(made, recipe.requires)
    except InvalidRecipeError as error:
        yield from error.diagnostics
    except RecipeError as error:
        yield Diagnostic(Location(shown_path(lock), 1), error.message, error.hint)
    else:
        if problem := cmake_problem(recipe.recipe, (pin.name for pin in made.pins)):
            yield problem
        if not covered:
            message = f"{lock.name} is out of date: build.requires has changed since it was made"
            yield Diagnostic(recipe.recipe.place("build", "requires"), message, hint)
