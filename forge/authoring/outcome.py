"""What became of a recipe that was to be updated."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forge.authoring.modules import ModuleChanges
    from forge.authoring.patch_check import TriedPatch
    from forge.base.errors import ForgeError


class Status(StrEnum):
    """How it ended."""

    CURRENT = "current"
    """It has the version that is wanted."""
    NEWER = "newer"
    """There is another version; only that was to be found out."""
    UPDATED = "updated"
    FOLLOWS = "follows"
    """Its requirements follow another recipe's new version."""
    FAILED = "failed"
    UNKNOWN = "unknown"
    """Nothing says which versions there are."""


@dataclass(frozen=True)
class Outcome:
    """What became of one recipe.

    Args:
        name: Its name.
        status: How it ended.
        before: The version that it had.
        after: The one that it was to get, or has now.
        patches: How its patches fit the new source.
        modules: What changes in its table of extension modules.
        pins: What changes in its lock.
        follows: The recipes whose new versions its requirements follow.
        notes: What a person should know.
        error: Why it failed.
        branch: The branch that has the update, if it is on one.
    """

    name: str
    status: Status
    before: str
    after: str
    patches: tuple[TriedPatch, ...] = ()
    modules: ModuleChanges | None = None
    pins: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    error: ForgeError | None = None
    branch: str = ""
