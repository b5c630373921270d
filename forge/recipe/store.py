"""Where recipes are found, and loading them by name."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import NormalizedName, canonicalize_name

from forge.base.errors import RecipeError
from forge.recipe.data import data_directory
from forge.recipe.diagnostics import did_you_mean, shown_path, together
from forge.recipe.document import MAX_BYTES
from forge.recipe.model import RECIPE_NAME, Recipe
from forge.recipe.read import read_recipe

if TYPE_CHECKING:
    from collections.abc import Iterable


_PATTERN = f"*/{RECIPE_NAME}"


@dataclass(frozen=True)
class RecipeStore:
    """A directory of recipes: ``<name>/recipe.yaml`` each.

    Args:
        directory: The directory.
    """

    directory: Path

    def names(self) -> tuple[NormalizedName, ...]:
        """The names of all recipes, normalised, sorted."""
        return tuple(sorted({canonicalize_name(file.parent.name) for file in self.directory.glob(_PATTERN)}))

    def path(self, name: str) -> Path:
        """The file of a recipe.

        Args:
            name: The package's name in any spelling (PEP 503).

        Raises:
            RecipeError: There is none of that name.
        """
        return self._path(name, self._entries(canonicalize_name(name)))

    def _path(self, name: str, found: Iterable[str]) -> Path:
        key = canonicalize_name(name)
        files = [file for entry in found if (file := self.directory / entry / RECIPE_NAME).exists()]
        if len(files) > 1:
            places = ", ".join(shown_path(file.parent) for file in files)
            raise RecipeError(f"there are {len(files)} recipes of one name, {key!r}: {places}", hint="keep one of them")
        if not files:
            hint = did_you_mean(key, self.names(), "recipes")
            raise RecipeError(f"there is no recipe {name!r} in {shown_path(self.directory)}", hint=hint)
        return files[0]

    def _entries(self, *keys: NormalizedName) -> list[str]:
        """The directories of these names, sorted; without a look into each, of which there may be thousands."""
        try:
            entries = os.listdir(self.directory)  # noqa: PTH208 - a tenth of the time
        except OSError:
            return []  # `names` finds none there either
        wanted = frozenset(keys)
        return sorted(entry for entry in entries if canonicalize_name(entry) in wanted)

    def load(self, name: str) -> Recipe:
        """Read a recipe by name.

        Raises:
            RecipeError: There is none of that name.
            InvalidRecipeError: It is wrong; says everything that is.
        """
        return read_recipe(self.path(name))

    def load_all(self, names: Iterable[str]) -> tuple[Recipe, ...]:
        """Read recipes by name, each once, in the order given.

        Raises:
            RecipeError: There is none of a name, or one is wrong; says everything that is wrong with any of them.
        """
        loaded: dict[NormalizedName, Recipe] = {}
        problems: list[RecipeError] = []
        wanted = dict.fromkeys(map(canonicalize_name, names))
        entries: dict[NormalizedName, list[str]] = {}
        for entry in self._entries(*wanted):
            entries.setdefault(canonicalize_name(entry), []).append(entry)
        for name in wanted:
            try:
                loaded[name] = read_recipe(self._path(name, entries.get(name, ())))
            except RecipeError as error:
                problems.append(error)
        if problems:
            raise together(problems)
        return tuple(loaded.values())


def find_recipes(named: Path | None = None) -> RecipeStore:
    """The recipes to use.

    Looked for, in this order: *named*; ``FORGE_RECIPES``; a directory ``recipes`` that holds recipes of forge's, in the
    working directory or above it; forge's own.

    Args:
        named: The directory that the user named.

    Raises:
        RecipeError: A directory that was named holds no recipe.
    """
    variable = os.environ.get("FORGE_RECIPES")
    if named is not None:
        return _named(named, "")
    if variable:
        return _named(Path(variable), " (FORGE_RECIPES)")
    here = Path.cwd()
    for directory in (here, *here.parents):
        if _holds_own_recipes(directory / "recipes"):
            return RecipeStore(directory / "recipes")
    return RecipeStore(data_directory("recipes"))


def _named(directory: Path, whence: str) -> RecipeStore:
    try:
        directory = directory.expanduser().resolve()
    except RuntimeError as error:  # of '~name' without such a user; of symbolic links in a circle
        raise RecipeError(f"{directory}{whence} is not a directory: {error}", hint="write its path") from error
    if not directory.is_dir():
        raise RecipeError(f"there is no directory of recipes {shown_path(directory)}{whence}")
    if not _holds_recipes(directory):
        hint = f"a recipe is at <name>/{RECIPE_NAME} in it"
        raise RecipeError(f"{shown_path(directory)}{whence} holds no recipe", hint=hint)
    return RecipeStore(directory)


def _holds_own_recipes(directory: Path) -> bool:
    """Whether a directory that nobody named holds recipes of forge's: conda's and rattler-build's lie like them."""
    for file in directory.glob(_PATTERN):
        with contextlib.suppress(OSError):
            if file.is_file() and re.search(rb"^schema[ \t]*:", file.read_bytes()[:MAX_BYTES], flags=re.MULTILINE):
                return True
    return False


def _holds_recipes(directory: Path) -> bool:
    return next(directory.glob(_PATTERN), None) is not None
