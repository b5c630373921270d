"""Making a recipe's lock: what its source requires now, resolved and pinned."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.atomic import atomic_file
from forge.base.progress import SilentProgress
from forge.base.target import select_targets
from forge.build.recipe_build import required, source_of
from forge.build.resolve import resolve_lock
from forge.recipe.evaluate import evaluate
from forge.source.fetch import fetch, prepare

if TYPE_CHECKING:
    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.ios_python.build_python import BuildPython
    from forge.recipe.lock import BuildLock
    from forge.recipe.model import Recipe


def lock_recipe(home: ForgeHome, recipe: Recipe, build_python: BuildPython, progress: Progress) -> BuildLock:
    """Resolve a recipe's build requirements and write its lock.

    One lock serves all targets and variants, so requirements are those of any of them.

    Raises:
        SourceError, NetworkError: The source or the index cannot be had.
        BuildError: pip found no versions that fit.
    """
    minor = ".".join(build_python.version.split(".")[:2])
    requires: list[str] = []
    variants = [(), *((variant.name,) for variant in recipe.variants)]
    for target, chosen in itertools.product(select_targets(), variants):
        evaluated = evaluate(recipe, target, minor, chosen)
        if not requires:
            progress.phase(recipe.name, "read what the source requires")
            archive = fetch(source_of(evaluated), home, progress)
        with tempfile.TemporaryDirectory() as temporary:
            tree = Path(temporary) / "tree"
            prepare(archive, evaluated.patches, tree, SilentProgress())
            requires += [r for r in required(evaluated, tree) if r not in requires]
    progress.phase(recipe.name, "resolve")
    lock = resolve_lock(home, requires, build_python)
    with atomic_file(recipe.lock_file, "w") as file:
        file.write(lock.text())
    return lock
