"""The Python that resolves build requirements: near enough to the build Python, and never built for it."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from forge.ios_python.build_python import BuildPython, find_build_python
from forge.ios_python.interface import known_minors

if TYPE_CHECKING:
    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.recipe.model import Recipe


def lock_minor(recipe: Recipe, wanted: str) -> str:
    """The version of Python to lock a recipe for: the one wanted, or the oldest that the recipe supports.

    Args:
        recipe: The recipe.
        wanted: Python's major.minor.
    """
    if recipe.supports(wanted):
        return wanted
    return next((minor for minor in known_minors() if recipe.supports(minor)), wanted)


def find_lock_python(home: ForgeHome, minor: str, progress: Progress) -> BuildPython:
    """The build Python if there is one already, else the one that runs forge.

    What requirements resolve to depends on a Python's minor version, through their markers; seldom on more. The latter
    is noted, so that a lock that lacks something can be explained.
    """
    if (found := find_build_python(home, minor)) is not None:
        return found
    running = platform.python_version()
    if not running.startswith(f"{minor}."):
        progress.note(
            "lock", f"Python {minor} not found; resolving requirements for Python {running}, which "
            "runs forge",
        )  # fmt: skip
    return BuildPython(Path(sys.executable), running)
