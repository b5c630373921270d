"""Which tests passed before with the very same wheels, so that ``forge test --all`` runs what changed."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import forge
from forge.base.hashing import code_sha256, file_sha256, fingerprint, tree_sha256
from forge.recipe.digest import digest_input

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forge.base.paths import ForgeHome
    from forge.crossbuild.context import BuildContext
    from forge.recipe.model import EvaluatedRecipe
    from forge.trial.options import TrialOptions

_ROOMS = ("audit", "emulate", "frameworks", "macho", "toolchain", "trial", "wheel")
"""The rooms whose code and data can change what becomes of a test: ``forge.frameworks`` makes the app of the wheels."""

_KEPT = 90 * 24 * 3600
"""Seconds after which a mark is removed; what is still of use is marked anew by then."""


def trial_key(recipe: EvaluatedRecipe, wheels: Iterable[Path], context: BuildContext, options: TrialOptions) -> str:
    """What tells a trial from every other: its wheels, its tests, and what runs them.

    Newer wheels that the package index has got meanwhile (pytest's, or those of pure requirements) do not count.

    Args:
        recipe: Whose tests are run.
        wheels: Those of recipes.
        context: The Pythons.
        options: How it is tried.
    """
    package = Path(forge.__file__).parent
    source = digest_input(recipe)  # the suite is in it
    return fingerprint(
        {
            "wheels": {wheel.name: file_sha256(wheel) for wheel in wheels},
            "tests": asdict(recipe.trial),
            "source": [source["source"], source["patches"]],
            "files": {name: _sha256(Path(name)) for name in (*recipe.trial.files, *map(str, options.tests))},
            "python": [context.build_python.version, context.python.fingerprint(recipe.target)],
            "options": {name: str(value) for name, value in vars(options).items() if name != "find_links"},
            "code": {room: code_sha256(package / room) for room in _ROOMS},
        }
    )


def has_passed(home: ForgeHome, key: str) -> bool:
    """Whether a trial passed before on this machine."""
    mark = _directory(home) / key
    if not mark.exists():
        return False
    mark.touch()
    return True


def mark_passed(home: ForgeHome, key: str) -> None:
    """Keep that a trial passed; marks that were of no use for a long time are removed."""
    directory = _directory(home)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / key).touch()
    old = time.time() - _KEPT
    for mark in directory.iterdir():
        try:
            if mark.stat().st_mtime < old:
                mark.unlink()
        except OSError:  # another process removed it, or it is another user's
            continue


def _directory(home: ForgeHome) -> Path:
    return home.root / "passed-tests"


def _sha256(path: Path) -> str:
    return tree_sha256(path) if path.is_dir() else file_sha256(path)
