"""A build's fingerprint: sha256 over everything that can change the wheel. Same fingerprint, same wheel."""

from __future__ import annotations

from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import forge
from forge.base.hashing import code_sha256, fingerprint
from forge.crossbuild.compilers import find_compilers
from forge.recipe.digest import digest_input
from forge.toolchain.build_tools import tools_identity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.utils import NormalizedName

    from forge.crossbuild.compilers import Compilers
    from forge.plan.closure import Step
    from forge.plan.provision import Context
    from forge.recipe.model import EvaluatedRecipe

ABOVE = frozenset(
    {"cli", "index", "pipeline", "trial", "authoring", "plan", "emulate", "frameworks", "audit", "lint", "failures"}
)
"""The rooms whose code can change no wheel: what makes wheels (`forge.crossbuild`) imports nothing of theirs.

What they decide reaches a build as its inputs, which the fingerprint covers. The contracts in pyproject.toml and a test
hold the imports to it.
"""

_LIBRARIES = ("build", "pyproject_hooks", "capstone", "packaging")
"""Installed libraries that take part."""


@cache
def code_digest() -> str:
    """The hash of forge's own code, all rooms but those `ABOVE`, and of the libraries that take part.

    All of a room, since a list of files that matter is wrong the day after it was made; that costs a rebuild too many
    at times.
    """
    return fingerprint(
        {
            "rooms": room_digests(Path(forge.__file__).parent),
            "version": forge.__version__,
            "libraries": {name: metadata.version(name) for name in _LIBRARIES},
        }
    )


def room_digests(package: Path) -> dict[str, str]:
    """The hash of each room whose code can change a wheel, by its name.

    Args:
        package: The directory ``forge``: that of the forge that runs, or another one.
    """
    rooms = sorted(path for path in package.iterdir() if (path / "__init__.py").is_file() and path.name not in ABOVE)
    return {room.name: code_sha256(room) for room in rooms}


def build_inputs(
    recipe: EvaluatedRecipe,
    context: Context,
    host: Mapping[str, str] | None = None,
    compilers: Compilers | None = None,
) -> dict[str, object]:
    """Everything that a build's fingerprint covers, as JSON data.

    A pure wheel is the same for all targets, so neither the target nor the iOS Python made for it is covered. A native
    library is the same for all Pythons: it reads none, and is built in one only if it has build requirements.

    Args:
        recipe: Evaluated for the target.
        context: Toolchain and Pythons.
        host: The fingerprints of its host requirements, and of what these need in turn, by name.
        compilers: Those of the languages that the recipe names.

    Raises:
        RecipeError: A patch or the lock cannot be read.
    """
    of_python = not recipe.is_native_library
    in_python = of_python or bool(recipe.requires)
    return {
        "recipe": digest_input(recipe) | ({} if in_python else {"python": None}),
        "toolchain": context.toolchain.id,
        "ios python": context.python.fingerprint(recipe.target) if recipe.native and of_python else None,
        "build python": context.python.minor if in_python else None,
        "tools": tools_identity(),
        "forge": code_digest(),
        "host": dict(host or {}),
        "compilers": compilers.identity if compilers else {},
    }


def step_inputs(steps: Sequence[Step], context: Context) -> dict[NormalizedName, dict[str, object]]:
    """What the fingerprints of a closure's builds cover, by the recipe's name: all of them before anything is built.

    Args:
        steps: The closure of one target, each after what it needs.
        context: Toolchain and Pythons.

    Raises:
        RecipeError: A patch or a lock cannot be read.
        ToolchainError: A compiler that a recipe names is missing.
    """
    found: dict[NormalizedName, dict[str, object]] = {}
    for step in steps:
        host = {str(name): fingerprint(found[name]) for name in step.host}
        inputs = build_inputs(step.recipe, context, host, find_compilers(step.recipe.languages))
        found[step.recipe.normalized_name] = inputs
    return found
