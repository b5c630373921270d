"""A table of extension modules for another version: what the macOS wheels of both tell, on top of what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.recipe.extension_table import Row

if TYPE_CHECKING:
    from forge.lint.upstream import Upstream
    from forge.recipe.model import Recipe


@dataclass(frozen=True)
class ModuleChanges:
    """What becomes of the table.

    Args:
        new: The modules that only the new release has.
        gone: Those of the table that only the old release has.
        note: Why there is nothing to go by, or an empty string.
    """

    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    note: str = ""


def module_changes(recipe: Recipe, version: str, upstream: Upstream) -> ModuleChanges:
    """How the extension modules of two releases differ, by their macOS wheels for arm64.

    Where a recipe's table differs from the old release's wheel, it goes on to do so.

    Args:
        recipe: The recipe, with the old version.
        version: The new one.
        upstream: Asks the indexes.

    Raises:
        ForgeError: A wheel cannot be downloaded or read.
    """
    if not recipe.extension_table:
        return ModuleChanges()
    before, after = (upstream.macos_wheels(recipe.name, each) for each in (recipe.version, version))
    if not before or not after:
        which = version if not after else recipe.version
        note = f"{which} has no macOS wheel for arm64: the table of extension modules is as it was"
        return ModuleChanges(note=note)
    old, new = upstream.modules(before[-1]), upstream.modules(after[-1])
    listed = {row.module for row in recipe.extension_table}
    return ModuleChanges(tuple(sorted(new - old - listed)), tuple(sorted((old - new) & listed)))


def renewed_rows(recipe: Recipe, changes: ModuleChanges) -> tuple[Row, ...]:
    """The table with what has changed; other lines keep their targets, conditions and comments."""
    kept = [row for row in recipe.extension_table if row.module not in changes.gone]
    return (*kept, *(Row(module) for module in changes.new))
