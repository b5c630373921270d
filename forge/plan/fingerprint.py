"""A build's fingerprint: sha256 over everything that can change the wheel. Same fingerprint, same wheel."""

from __future__ import annotations

from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import forge
from forge.base.hashing import file_sha256, fingerprint, tree_sha256
from forge.recipe.digest import digest_input

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forge.build.compilers import Compilers
    from forge.build.recipe_build import Setting
    from forge.recipe.model import EvaluatedRecipe

_ROOMS = ("build", "source", "wheel", "audit", "macho")
"""The rooms whose code makes or judges a wheel. The toolchain's and the iOS Python's count through their identities."""

_LIBRARIES = ("build", "pyproject_hooks", "lief")
"""Installed libraries that take part."""


@cache
def code_digest() -> str:
    """The hash of forge's own build code and of the libraries that take part."""
    package = Path(forge.__file__).parent
    return fingerprint(
        {
            "rooms": {room: tree_sha256(package / room) for room in _ROOMS},
            "environment": file_sha256(package / "toolchain" / "environment.py"),
            "libraries": {name: metadata.version(name) for name in _LIBRARIES},
        }
    )


def build_inputs(
    recipe: EvaluatedRecipe,
    setting: Setting,
    host: Mapping[str, str] | None = None,
    compilers: Compilers | None = None,
) -> dict[str, object]:
    """Everything that a build's fingerprint covers, as JSON data.

    Args:
        recipe: Evaluated for the target.
        setting: Toolchain and Pythons.
        host: The fingerprints of its host requirements, and of what these need in turn, by name.
        compilers: Those of the languages that the recipe names.

    Raises:
        RecipeError: A patch or the lock cannot be read.
    """
    return {
        "recipe": digest_input(recipe),
        "toolchain": setting.toolchain.id,
        "ios python": setting.python.fingerprint(recipe.target),
        "build python": setting.build_python.version,
        "forge": code_digest(),
        "host": dict(host or {}),
        "compilers": compilers.identity if compilers else {},
    }
