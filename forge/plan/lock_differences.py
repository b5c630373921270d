"""How two locks of build requirements differ, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.base.errors import RecipeError
from forge.recipe.lock import read_lock

if TYPE_CHECKING:
    from pathlib import Path

    from forge.recipe.lock import Pin


def lock_differences(before: Path, now: Path) -> tuple[str, ...]:
    """The pins that two locks differ in, a line each; none if one of them is missing or cannot be read.

    Args:
        before: The old lock.
        now: The new one.
    """
    try:
        old, new = ({_key(pin): pin for pin in read_lock(file).pins} for file in (before, now))
    except RecipeError:
        return ()
    said = []
    for name in sorted({*old, *new}):
        was, is_now = old.get(name), new.get(name)
        if was == is_now:
            continue
        if was is None or is_now is None:
            said.append(f"{name} is {'gone' if is_now is None else 'new'}")
        elif was.version != is_now.version:
            said.append(f"{name} {was.version} -> {is_now.version}")
        else:
            said.append(f"other files of {name}")
    return tuple(said)


def _key(pin: Pin) -> str:
    """What a pin is for: its project, and the Pythons if not all."""
    return f"{pin.name} ({pin.marker})" if pin.marker else pin.name
