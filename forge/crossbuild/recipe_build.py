"""Builds one recipe's wheel for one target: source, cross environment, back end, finished wheel."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from forge.base.attempts import new_attempt, new_log, remove_tree
from forge.base.errors import BuildError
from forge.base.progress import SilentProgress
from forge.crossbuild.backends import back_end
from forge.crossbuild.build_side import include_directories
from forge.crossbuild.compilers import Compilers
from forge.crossbuild.context import Build
from forge.crossbuild.cross_environment import EnvironmentRequest, ensure_cross_environment
from forge.crossbuild.enter import write_enter_script
from forge.crossbuild.finish import finish_wheel, own_files
from forge.crossbuild.host_prefix import HostPackage, make_host_prefix
from forge.crossbuild.jobs import support_jobs
from forge.crossbuild.languages import support_languages
from forge.crossbuild.licenses import license_files, linked_crates
from forge.crossbuild.lock_check import check_lock
from forge.crossbuild.materials import bill_of_materials
from forge.crossbuild.sources import source_of
from forge.recipe.values import HOST_PREFIX
from forge.source.fetch import fetch, prepare
from forge.toolchain.environment import cross_environment
from forge.toolchain.rust import rust_triple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from forge.base.progress import Progress
    from forge.crossbuild.context import BuildContext, Support
    from forge.recipe.model import EvaluatedRecipe


@dataclass(frozen=True)
class BuiltWheel:
    """A built wheel.

    Args:
        path: The file.
        log: The build's complete log.
        work: The work directory, if it was kept.
    """

    path: Path
    log: Path
    work: Path | None = None


class Verify(Protocol):
    """Checks a finished wheel while its work directory is still there."""

    def __call__(self, wheel: Path, build: Build, *, places: Collection[Path], hint: str) -> None:
        """Raise an error, and the work directory is kept.

        Args:
            wheel: The file.
            build: The build.
            places: Directories of this machine that the wheel must not name.
            hint: How to look into the build, for the error.
        """


def build_recipe(
    recipe: EvaluatedRecipe,
    context: BuildContext,
    *,
    key: str,
    out: Path,
    progress: Progress,
    subject: str,
    host: Sequence[HostPackage] = (),
    compilers: Compilers | None = None,
    verify: Verify | None = None,
) -> BuiltWheel:
    """Build the wheel of a recipe for its target.

    Args:
        recipe: Evaluated for the target.
        context: Toolchain and Pythons.
        key: Names the directory and the log of this build; builds with different keys can run at the same time.
        out: An existing directory for the finished wheel.
        progress: Receives the phases of the build.
        subject: The build's name in messages.
        host: The built host requirements, including indirect ones.
        compilers: The compilers of the recipe's languages.
        verify: Checks the wheel; None takes it as it is.

    Raises:
        SourceError, NetworkError: The source is not available, or a patch does not apply.
        RecipeError: The lock is missing or out of date, or the recipe asks for something that forge does not support.
        BuildError: The back end failed; the work directory is kept.
        WheelError: The wheel cannot be repaired, or *verify* says so; the work directory is kept.
    """
    home, target, compilers = context.home, recipe.target, compilers or Compilers()
    name = "-".join([recipe.normalized_name, recipe.version, *([str(target)] if recipe.native else []), key[:12]])
    log = new_log(home.logs, name)
    # A clean source tree for each build: nothing is left over from another target or a failed build.
    work = new_attempt(home.work, name)
    tree = work / f"{recipe.normalized_name}-{recipe.version}"
    archive = fetch(source_of(recipe), home, progress)
    progress.phase(subject, "unpack")
    prepare(archive, recipe.patches, tree, SilentProgress())
    lock = check_lock(recipe, tree)
    progress.phase(subject, "environment")
    wanted = EnvironmentRequest(context.python, target, context.build_python, context.toolchain, lock)
    environment = ensure_cross_environment(home, wanted)
    prefix = make_host_prefix(host, work / "host")
    build = Build(context, recipe, environment, prefix, work, tree, log, subject)
    names = _neutral_names(build)
    own = own_files(tree, names)
    support = support_languages(compilers, build, names, progress)
    prepared = back_end(recipe).prepare(build)
    env = {**prepared.env, **_environment(build, names, support)}
    enter = write_enter_script(work, tree, env)
    progress.phase(subject, "build")
    raw = work / "wheel"
    raw.mkdir()
    try:
        built = back_end(recipe).run(build, prepared.config_settings, env, raw)
    except BuildError as error:
        error.hint = error.hint or f"to enter the failed build, run: {enter}"
        raise
    progress.phase(subject, "finish")
    crates = () if compilers.rust is None else linked_crates(work, rust_triple(target))
    sbom = bill_of_materials(recipe, context.python, context.toolchain, lock, host, crates)
    done = finish_wheel(
        built, work / "finished", names, sbom, recipe.run, own=own, licenses=license_files(host, crates)
    )
    with log.open("a", encoding="utf-8") as file:
        file.write(f"\n{done.report}")
    if verify is not None:
        places = [path for path in names if path.parts[1:2] != ("usr",)]
        verify(done.path, build, places=places, hint=f"see the build log {log}; to enter the build, run: {enter}")
    final = out / done.path.name
    shutil.copyfile(done.path, final)
    if context.keep_work:
        return BuiltWheel(final, log, work)
    remove_tree(work)
    return BuiltWheel(final, log)


def _environment(build: Build, names: Mapping[Path, str], support: Support) -> dict[str, str]:
    """The environment of every cross build, with the languages' variables and the recipe's."""
    home = build.work / "home"
    home.mkdir(parents=True)
    own = {
        # A configure step can crash the compiler; its dumps belong to this build, not in /tmp.
        "CLANG_CRASH_DIAGNOSTICS_DIR": str(build.work / "crashes"),
        # Meson and Cython are started often; they need not be compiled each time. Neither source nor wheel has a .pyc.
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(build.work / "pycache"),
    }
    if headers := os.pathsep.join(map(str, include_directories(build.host.site_packages))):
        # Searched after directories that the build names itself, which may be the build side's (build_side.py).
        own["CPATH"] = headers
    jobs = support_jobs(build.context.jobs, build.work / "jobs")
    recipe = {name: build.host.expand(value) for name, value in build.recipe.env.items()}
    return cross_environment(
        build.context.toolchain,
        build.target,
        home,
        path=[build.environment.build_bin, build.environment.wrappers, *support.path, *jobs.path],
        prefix_map=names,
        pkg_config=build.host.pkg_config,
        variables={**own, **jobs.env, **support.env, **recipe},
    )


def _neutral_names(build: Build) -> dict[Path, str]:
    """Directories of this machine, with the names that built files have instead, which are the same everywhere."""
    recipe, context = build.recipe, build.context
    names = {
        build.tree: f"/usr/src/{recipe.normalized_name}-{recipe.version}",
        build.host.root: HOST_PREFIX,
        build.work: "/usr/src/build",
        build.environment.root: "/forge/environment",
        context.python.root: "/forge/Python.xcframework",
        # The cache's directories, not the cache itself: packages use names such as /srv or /data for themselves.
        **{room: f"/forge/{room.name}" for room in context.home.rooms},
    }
    return names | {path.parent: "/forge/toolchain" for path in context.toolchain.path if path.name == "bin"}
