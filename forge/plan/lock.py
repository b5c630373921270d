"""Making a recipe's lock: what its source and its back end require now, resolved and pinned."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from forge.base.atomic import atomic_file
from forge.base.attempts import new_log
from forge.base.errors import BuildError, SourceError, StorageError
from forge.base.progress import SilentProgress
from forge.crossbuild.backends import back_end
from forge.crossbuild.resolve import HOOK, HookError, hook_requires, resolve_lock, scratch
from forge.crossbuild.sources import source_of
from forge.failures.first_error import first_of
from forge.ios_python.build_python import find_build_python
from forge.ios_python.interface import known_minors
from forge.plan.preflight import cmake_problem
from forge.recipe.conditions import every_evaluation
from forge.recipe.diagnostics import InvalidRecipeError, shown_path
from forge.recipe.lock import applicable, make_lock, merge_requires, merged_lock
from forge.source.fetch import fetch, prepare

if TYPE_CHECKING:
    from pathlib import Path

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.ios_python.build_python import BuildPython
    from forge.recipe.lock import BuildLock
    from forge.recipe.model import EvaluatedRecipe, Recipe


def lock_recipe(home: ForgeHome, recipe: Recipe, build_python: BuildPython, progress: Progress) -> BuildLock:
    """Resolve a recipe's build requirements and write its lock.

    One lock serves all targets, minimum iOS versions, Pythons and variants, so requirements are those of any of them:
    what ``build-system.requires`` lists, what the recipe says, and what the back end's hook asks for
    (``get_requires_for_build_wheel``, PEP 517) once these are installed. No iOS Python and no compiler is needed.

    Native libraries are not laid out for the hook, and some projects' setup.py stops where it does not find one
    (``pg_config``). Then the lock has what source and recipe list, which is noted: hooks seldom ask for more.

    Args:
        home: The cache.
        recipe: The recipe.
        build_python: Resolves, and runs the hook.
        progress: Receives progress updates.

    Raises:
        SourceError, NetworkError: The source or the index cannot be had, or the source is not a Python project.
        BuildError: pip found no versions that fit, or what the hook needs cannot be installed.
        RecipeError: A build requirement names a URL, or the package is built with CMake.
        StorageError: The lock cannot be written.
    """
    if not os.access(recipe.directory, os.W_OK):
        raise StorageError(
            f"no permission to write: {shown_path(recipe.directory)}",
            hint="the lock is written next to the recipe; check the permissions of that directory",
        )
    minor = ".".join(build_python.version.split(".")[:2])
    evaluated = list(every_evaluation(recipe, minor))
    if all(each.needs_no_lock for each in evaluated):
        if not recipe.lock_file.is_file():
            return make_lock([], [])  # none is needed, and an empty one would only be another file to keep
        return _write(recipe, make_lock([], []))
    progress.phase(recipe.name, "read the source's requirements")
    archive = fetch(source_of(evaluated[0]), home, progress)
    purpose = f"lock-{recipe.normalized_name}"
    with scratch(home, purpose) as directory:
        log = new_log(home.logs, purpose)
        trees = _trees(evaluated, archive, directory)
        static = sorted(
            {text for tree in trees for each in tree.builds for text in back_end(each).requires(each, tree.path)}
        )
        _refuse_cmake(recipe, static)
        progress.phase(recipe.name, "resolve")
        lock = resolve_lock(home, static, build_python, log=log)
        asked: set[str] = set()
        for tree in trees:
            builds = [each for each in tree.builds if not each.is_native_library]
            runs = {_key(each): (each.config_settings, each.env) for each in builds}
            if runs:
                progress.phase(recipe.name, "ask the back end for its requirements")
                try:
                    hooked = hook_requires(
                        home, tree.path, lock, build_python, list(runs.values()), log=log, subject=recipe.name
                    )
                except HookError as error:
                    hooked = ()
                    progress.note(recipe.name, _not_asked(error))
                asked |= {text for each in builds for text in merge_requires(hooked, each.requires)}
        if not asked <= set(lock.requires):
            _refuse_cmake(recipe, sorted(asked))
            progress.phase(recipe.name, "resolve the back end's requirements")
            lock = resolve_lock(home, sorted({*static, *asked}), build_python, log=log)
        return _write(recipe, _for_all_pythons(home, recipe, lock, build_python, progress, log))


def _not_asked(error: HookError) -> str:
    """What to tell of a hook that failed."""
    return (
        f"the back end could not be asked for further requirements: {_why(error)} ({HOOK}); "
        "the lock has what the source and the recipe list: name others under build.requires"
    )


def _why(error: BuildError) -> str:
    """The first real error in the end of an output."""
    lines = [line.strip() for line in error.tail if line.strip()]
    found = first_of(lines)
    return found[1] if found else (lines or [error.message])[-1]


def _for_all_pythons(
    home: ForgeHome, recipe: Recipe, lock: BuildLock, build_python: BuildPython, progress: Progress, log: Path
) -> BuildLock:
    """A lock for one Python, made one for all that the recipe supports: resolved again where requirements differ."""
    own = ".".join(build_python.version.split(".")[:2])
    minors = [minor for minor in known_minors() if recipe.supports(minor)]
    wanted = {minor: applicable(lock.requires, minor) for minor in minors}
    if len(set(wanted.values())) <= 1:
        return lock
    made: dict[tuple[str, ...], BuildLock | None] = {wanted[own]: lock} if own in wanted else {}
    for minor, requires in wanted.items():
        if requires not in made:
            progress.phase(recipe.name, f"resolve for Python {minor}")
            python = find_build_python(home, minor)
            try:
                made[requires] = (
                    resolve_lock(home, lock.requires, build_python, minor=minor, log=log)
                    if python is None
                    else resolve_lock(home, lock.requires, python, log=log)
                )
            except BuildError as error:
                if own not in wanted:
                    raise
                # Often what a build requires has no wheels yet for the newest Python; the others are served.
                made[requires] = None
                progress.note(
                    recipe.name,
                    f"nothing is locked for Python {minor}: its build requirements do not resolve: {_why(error)}",
                )
    resolved = {minor: found for minor, requires in wanted.items() if (found := made[requires]) is not None}
    return merged_lock(resolved, lock.requires, minors)


@dataclass(frozen=True)
class _Tree:
    """A patched source, and the builds that take it.

    Args:
        path: The directory.
        builds: The recipe evaluated for each of them.
    """

    path: Path
    builds: tuple[EvaluatedRecipe, ...]


def _trees(evaluated: list[EvaluatedRecipe], archive: Path, directory: Path) -> list[_Tree]:
    """The source, unpacked once for each set of patches."""
    by_patches: dict[tuple[Path, ...], list[EvaluatedRecipe]] = {}
    for each in evaluated:
        by_patches.setdefault(each.patches, []).append(each)
    trees = []
    for number, (patches, builds) in enumerate(by_patches.items()):
        path = directory / f"tree-{number}"
        prepare(archive, patches, path, SilentProgress())
        if not builds[0].is_native_library and not any((path / f).is_file() for f in ("pyproject.toml", "setup.py")):
            raise SourceError(
                f"the source of {builds[0].name} is not a Python project: it has neither pyproject.toml nor setup.py",
                hint="check the source's URL; for a native library, set the back end of its build system",
            )
        trees.append(_Tree(path, tuple(builds)))
    return trees


def _key(recipe: EvaluatedRecipe) -> str:
    return repr((sorted(recipe.config_settings.items()), sorted(recipe.env.items())))


def _refuse_cmake(recipe: Recipe, requires: list[str]) -> None:
    if problem := cmake_problem(recipe, (Requirement(text).name for text in requires)):
        raise InvalidRecipeError([problem])


def _write(recipe: Recipe, lock: BuildLock) -> BuildLock:
    with atomic_file(recipe.lock_file, "w") as file:
        file.write(lock.text())
    return lock
