"""Making a recipe's table of extension modules from wheels that were built of it."""

from __future__ import annotations

import contextlib
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

from forge.audit.modules import extension_modules
from forge.base.atomic import atomic_file
from forge.base.errors import WheelError
from forge.recipe.diagnostics import shown_path
from forge.recipe.extension_table import MULTIARCHES, Row, table_text
from forge.recipe.values import When
from forge.wheel.contents import read_wheel
from forge.wheel.tags import parse_platform_tag

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from forge.recipe.model import Recipe


def modules_by_target(recipe: Recipe, wheels: Iterable[Path]) -> dict[str, frozenset[str]]:
    """The extension modules that each target's wheel has, by multiarch.

    The recipe's ``wheel.libraries`` are none, nor is what the modules load: ``pkg/_dylibs/libx.so``.

    Args:
        recipe: The recipe that they are of.
        wheels: One or more for iOS, for any targets; those of several Pythons must agree.

    Raises:
        WheelError: One cannot be read, is of another project or version, or not for iOS; or two of one target differ.
    """
    found: dict[str, tuple[Path, frozenset[str]]] = {}
    for wheel in wheels:
        contents = read_wheel(wheel)
        name = contents.name
        if canonicalize_name(name.distribution) != recipe.normalized_name or name.version != Version(recipe.version):
            raise WheelError(
                f"{shown_path(wheel)} is not a wheel of {recipe.name} {recipe.version}",
                hint="name wheels that were built of the recipe",
            )
        targets = []
        for tag in name.platforms:
            with contextlib.suppress(WheelError):
                targets.append(parse_platform_tag(tag))
        if not targets:
            raise WheelError(
                f"{shown_path(wheel)} is not for iOS", hint="name wheels that 'forge build' made, in dist/ by default"
            )
        modules = frozenset(
            extension.module
            for extension in extension_modules(contents)
            if not any(fnmatchcase(extension.module, pattern.text) for pattern in recipe.libraries)
        )
        for target in targets:
            other, theirs = found.setdefault(target.multiarch, (wheel, modules))
            if theirs != modules:
                differing = ", ".join(sorted(theirs ^ modules)[:3])
                raise WheelError(
                    f"{shown_path(other)} and {shown_path(wheel)} do not have the same modules: {differing}",
                    hint="write the lines of these modules yourself, with a condition such as python>=3.14",
                )
    return {target: modules for target, (_, modules) in found.items()}


def merged(rows: Iterable[Row], found: Mapping[str, Collection[str]]) -> tuple[Row, ...]:
    """A table after wheels were looked at: what they say of their targets counts, the rest stays as it is.

    Lines with conditions are a person's, and so are those that leave a module out: they stay, unless a wheel has such a
    module.

    Args:
        rows: The table as it is.
        found: The modules of each target's wheel, by multiarch.
    """
    rows = tuple(rows)
    own = {row.module for row in rows if row.when != When()}
    before = {row.module: row for row in rows if row.module not in own}
    names = {*before, *(module for modules in found.values() for module in modules)} - own
    after = [row for row in rows if row.module in own]
    for name in sorted(names):
        old = before.get(name)
        # A module that is new is taken to be in the wheels of the targets that nothing was said of: they are checked.
        known = MULTIARCHES if old is None else old.targets
        targets = tuple(each for each in MULTIARCHES if (name in found[each] if each in found else each in known))
        if targets:
            after.append(Row(name, targets, comment=old.comment if old else ""))
        elif old is not None and not old.targets:
            after.append(old)
    return tuple(after)


def write_table(recipe: Recipe, rows: Iterable[Row]) -> None:
    """Write a recipe's table; without rows, remove it.

    Raises:
        StorageError: It cannot be written.
    """
    rows = tuple(rows)
    if not rows:
        recipe.table_file.unlink(missing_ok=True)
        return
    with atomic_file(recipe.table_file, "w") as file:
        file.write(table_text(rows, recipe.directory.name))
