"""What a project tells cibuildwheel (``tool.cibuildwheel``): how its own wheels are built."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.authoring.source_tree import SourceTree

BUILT_WITH = "the project's own wheels seem to be built with it"
"""What a person has to look at, of a value that comes from there."""


def named_values(tree: SourceTree, option: str) -> tuple[tuple[tuple[str, object], ...], ...]:
    """An option that gives values to names: for all platforms, then for iOS.

    Args:
        tree: The source.
        option: ``environment`` or ``config-settings``: a table, or ``name=value`` words as a shell has them.
    """
    tables = (("tool", "cibuildwheel"), ("tool", "cibuildwheel", "ios"))
    return tuple(tuple(_pairs(tree.table(*table).get(option))) for table in tables)


def _pairs(said: object) -> Iterator[tuple[str, object]]:
    if isinstance(said, str):
        try:
            words = shlex.split(said)
        except ValueError:  # a quote is not closed
            return
        yield from ((name, value) for name, mark, value in (word.partition("=") for word in words) if mark)
    elif isinstance(said, dict):
        yield from ((str(name), value) for name, value in said.items())
