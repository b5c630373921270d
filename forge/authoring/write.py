"""A draft on disk: recipe, tests and lock appear together or not at all, and nothing that is there is replaced."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from forge.authoring.draft import LEFT_OUT
from forge.authoring.recipe_text import MARK, recipe_text
from forge.base.atomic import replace_directory, storage_error
from forge.base.errors import RecipeError
from forge.plan.lock import lock_recipe
from forge.plan.lock_python import find_lock_python, lock_minor
from forge.recipe.diagnostics import shown_path
from forge.recipe.extension_table import Row, table_text
from forge.recipe.model import RECIPE_NAME, TABLE_NAME
from forge.recipe.read import read_recipe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.authoring.draft import Draft
    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.recipe.store import RecipeStore


def check_new(store: RecipeStore, name: str) -> None:
    """Check that a recipe can be added.

    Args:
        store: The directory of recipes.
        name: The package, in any spelling.

    Raises:
        RecipeError: There is one already, or something else of that name.
    """
    name = canonicalize_name(name)
    if name in store.names():
        place = shown_path(store.path(name))
        raise RecipeError(f"there is a recipe already: {place}", hint="edit it, or remove its directory first")
    if (store.directory / name).exists():
        place = shown_path(store.directory / name)
        raise RecipeError(f"{place} is there already, and is no recipe", hint="move it out of the way")


def write_recipe(draft: Draft, store: RecipeStore, home: ForgeHome, minor: str, progress: Progress) -> Path:
    """Write a new recipe with its tests and its lock.

    Args:
        draft: The recipe.
        store: The directory of recipes.
        home: The cache.
        minor: The version of Python to lock build requirements for.
        progress: Receives progress updates.

    Returns:
        The recipe's file.

    Raises:
        RecipeError: There is a recipe of that name already.
        ForgeError: Its build requirements cannot be locked, or it cannot be written.
    """
    check_new(store, draft.name)
    destination = store.directory / draft.name
    with _made(draft, store, home, minor, progress) as made:
        try:
            made.rename(destination)  # fails where another process was faster: a recipe's directory is not empty
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                check_new(store, draft.name)
            raise
    return destination / RECIPE_NAME


def rewrite_recipe(
    draft: Draft, store: RecipeStore, home: ForgeHome, minor: str, progress: Progress, lock: str | None = None
) -> None:
    """Replace a recipe that this process wrote a moment ago, in one step.

    Args:
        draft: The recipe.
        store: The directory of recipes.
        home: The cache.
        minor: The version of Python to lock build requirements for.
        progress: Receives progress updates.
        lock: The text of its lock if that is known; None makes it.

    Raises:
        ForgeError: Its build requirements cannot be locked, or it cannot be written.
    """
    with _made(draft, store, home, minor, progress, lock) as made:
        replace_directory(made, store.directory / draft.name)


@contextlib.contextmanager
def _made(
    draft: Draft, store: RecipeStore, home: ForgeHome, minor: str, progress: Progress, lock: str | None = None
) -> Iterator[Path]:
    """The recipe's directory, complete, in a temporary one beside the recipes."""
    store.directory.mkdir(parents=True, exist_ok=True)
    try:
        parent = Path(tempfile.mkdtemp(prefix=f".{draft.name}.", suffix=".part", dir=store.directory))
    except OSError as error:
        raise storage_error(error) or error from error
    try:
        made = parent / draft.name
        made.mkdir()
        (made / RECIPE_NAME).write_text(recipe_text(draft, _schema(store)), encoding="utf-8")
        if rows := _table(draft):
            (made / TABLE_NAME).write_text(table_text(rows, draft.name), encoding="utf-8")
        for name, content in draft.tests.files.items():
            (made / "tests").mkdir(exist_ok=True)
            (made / "tests" / name).write_text(content, encoding="utf-8")
        recipe = read_recipe(made)
        chosen = lock_minor(recipe, minor)
        if lock is not None:
            recipe.lock_file.write_text(lock, encoding="utf-8")
        else:
            lock_recipe(home, recipe, find_lock_python(home, chosen, progress), progress)
        yield made
    finally:
        shutil.rmtree(parent, ignore_errors=True)


def _table(draft: Draft) -> tuple[Row, ...]:
    promised = tuple(map(Row, draft.extensions))
    return (*promised, *(Row(name, (), comment=f"{MARK}{LEFT_OUT}") for name in draft.left_out))


def _schema(store: RecipeStore) -> str:
    """The schema, relative to a recipe: beside the recipes, or further above."""
    file = Path("schemas", "recipe.schema.json")
    for above in (store.directory.parent, *store.directory.parents[1:3]):
        if (above / file).is_file():
            return os.path.relpath(above / file, store.directory / "name")
    return os.path.join("..", "..", file)  # noqa: PTH118 - '..' must stay
