"""Builds one recipe's wheel for one target: source, cross environment, back end, finished wheel.

What comes before the back end is a step of its own (`prepare_build`), so that a person can enter a build there, or go
on with one that failed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from forge.base.attempts import new_attempt, new_log, remove_tree
from forge.base.errors import BuildError
from forge.base.manifest import tree_manifest
from forge.base.progress import SilentProgress
from forge.crossbuild.backends import back_end
from forge.crossbuild.build_side import include_directories
from forge.crossbuild.compilers import Compilers
from forge.crossbuild.context import Build
from forge.crossbuild.cross_environment import EnvironmentRequest, ensure_cross_environment
from forge.crossbuild.edits import edited_attempts
from forge.crossbuild.enter import write_enter_script
from forge.crossbuild.finish import finish_wheel, own_files
from forge.crossbuild.host_prefix import HostPackage, make_host_prefix, read_host_prefix
from forge.crossbuild.jobs import entered_jobs, support_jobs
from forge.crossbuild.kept import (
    KeptBuild,
    TreeFiles,
    describe_build,
    host_identity,
    note_built,
    path_version,
    read_files,
    source_tree,
    write_kept,
)
from forge.crossbuild.languages import support_languages
from forge.crossbuild.licenses import declared_license, license_files, linked_crates
from forge.crossbuild.lock_check import check_lock
from forge.crossbuild.materials import bill_of_materials
from forge.crossbuild.sources import source_of
from forge.recipe.values import HOST_PREFIX
from forge.source.fetch import fetch, prepare
from forge.toolchain.environment import cross_environment
from forge.toolchain.rust import rust_triple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from forge.base.progress import Progress
    from forge.crossbuild.context import BuildContext, Support
    from forge.crossbuild.host_prefix import HostPrefix
    from forge.recipe.model import EvaluatedRecipe


@dataclass(frozen=True)
class PreparedBuild:
    """A build of which only the back end has not run yet.

    Args:
        build: The build: its directories, cross environment and host prefix.
        config_settings: What the back end is given (PEP 517).
        env: The back end's complete environment.
        names: Directories of this machine, and the names that built files have instead.
        own: What `own_files` found in the source.
        lock: The build requirements' lock; None if there are none.
        host: The host requirements, including indirect ones.
        compilers: The compilers of the recipe's languages.
        raw: The directory for the wheel as the back end makes it.
        before: The manifest of the source tree.
        kept: How the work directory describes itself, should it be kept.
    """

    build: Build
    config_settings: Mapping[str, Sequence[str]]
    env: Mapping[str, str]
    names: Mapping[Path, str]
    own: frozenset[str]
    lock: Path | None
    host: tuple[HostPackage, ...]
    compilers: Compilers
    raw: Path
    before: dict[str, str]
    kept: KeptBuild


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
    prepared = prepare_build(
        recipe, context, key=key, progress=progress, subject=subject, host=host, compilers=compilers
    )
    return run_build(prepared, out, progress, verify)


def prepare_build(
    recipe: EvaluatedRecipe,
    context: BuildContext,
    *,
    key: str,
    progress: Progress,
    subject: str,
    host: Sequence[HostPackage] = (),
    compilers: Compilers | None = None,
    kept: KeptBuild | None = None,
) -> PreparedBuild:
    """Do everything that comes before the back end: source, cross environment, host prefix, languages' runtimes.

    Args:
        recipe: Evaluated for the target.
        context: Toolchain and Pythons.
        key: Names the directory and the log of this build.
        progress: Receives the phases of the build.
        subject: The build's name in messages.
        host: The built host requirements, including indirect ones.
        compilers: The compilers of the recipe's languages.
        kept: A work directory to go on in: its source tree stays as it is, and so does what was compiled; the
            environment is made as the recipe has it now. None starts from a clean tree in a new directory.

    Raises:
        SourceError, NetworkError, RecipeError: As `build_recipe` does.
        BuildError: The source's declaration is not valid, or the cross environment cannot be made.
    """
    home, target, compilers = context.home, recipe.target, compilers or Compilers()
    if kept is None:
        version = path_version(recipe.version)
        name = "-".join([recipe.normalized_name, version, *([str(target)] if recipe.native else []), key[:12]])
        log = new_log(home.logs, name)
        edited = edited_attempts(home, recipe.normalized_name, name)
        for each in edited:
            progress.note(subject, f"the source tree that you edited stays, but is not built: {each.tree}")
        # A clean source tree for each build: nothing is left over from another target or a failed build.
        work = new_attempt(home.work, name, keep=[each.work for each in edited])
        tree = source_tree(work, recipe.normalized_name, recipe.version)
        archive = fetch(source_of(recipe), home, progress)
        progress.phase(subject, "unpack")
        prepare(archive, recipe.patches, tree, SilentProgress())
    else:
        work, tree, log = kept.work, kept.tree, new_log(home.logs, kept.work.name.rpartition(".")[0])
    lock = check_lock(recipe, tree)
    progress.phase(subject, "environment")
    wanted = EnvironmentRequest(context.python, target, context.build_python, context.toolchain, lock)
    environment = ensure_cross_environment(home, wanted)
    build = Build(context, recipe, environment, _host_prefix(host, work / "host", kept), work, tree, log, subject)
    names = _neutral_names(build)
    before = tree_manifest(tree)
    files = TreeFiles(before, own=own_files(tree, names)) if kept is None else read_files(kept)
    support = support_languages(compilers, build, names, progress)
    prepared = back_end(recipe).prepare(build)
    env = {**prepared.env, **_environment(build, names, support)}
    raw = work / "wheel"
    raw.mkdir(exist_ok=True)
    write_enter_script(work, tree, {**env, **entered_jobs(context.jobs)}, subject)
    commands = back_end(recipe).commands(build, prepared.config_settings, raw)
    described = describe_build(recipe, work, key=key, subject=subject, host=host, log=log, commands=commands)
    if kept is not None:  # what the tree was made from, whatever the recipe says by now
        described = replace(described, source=kept.source, patches=kept.patches)
    write_kept(described, files)
    return PreparedBuild(
        build, prepared.config_settings, env, names, files.own, lock, tuple(host), compilers, raw, before, described
    )


def run_build(prepared: PreparedBuild, out: Path, progress: Progress, verify: Verify | None = None) -> BuiltWheel:
    """Run the back end of a prepared build and finish its wheel.

    Args:
        prepared: The build.
        out: An existing directory for the finished wheel.
        progress: Receives the phases of the build.
        verify: Checks the wheel; None takes it as it is.

    Raises:
        BuildError: The back end failed; the work directory is kept.
        WheelError: The wheel cannot be repaired, or *verify* says so; the work directory is kept.
    """
    build = prepared.build
    with _noted(prepared):
        done = _finished(prepared, progress, verify)
    final = out / done.name
    shutil.copyfile(done, final)
    if build.context.keep_work:
        return BuiltWheel(final, build.log, build.work)
    remove_tree(build.work)
    return BuiltWheel(final, build.log)


@contextlib.contextmanager
def _noted(prepared: PreparedBuild) -> Iterator[None]:
    """Note what the body does to the source tree, if the work directory is kept."""
    try:
        yield
    except BaseException:
        note_built(prepared.kept, prepared.before)
        raise
    if prepared.build.context.keep_work:
        note_built(prepared.kept, prepared.before)


def _finished(prepared: PreparedBuild, progress: Progress, verify: Verify | None) -> Path:
    build = prepared.build
    recipe, context, work, log = build.recipe, build.context, build.work, build.log
    progress.phase(build.subject, "build")
    enter = prepared.kept.enter
    try:
        built = back_end(recipe).run(build, prepared.config_settings, prepared.env, prepared.raw)
    except BuildError as error:
        error.hint = error.hint or (
            f"to go on once you have edited its source, run 'forge build {recipe.normalized_name} --continue'; "
            f"to enter the failed build, run: {enter}"
        )
        raise
    progress.phase(build.subject, "finish")
    crates = () if prepared.compilers.rust is None else linked_crates(work, rust_triple(build.target))
    sbom = bill_of_materials(
        recipe, context.python, context.toolchain, prepared.lock, prepared.host, crates,
        declared=recipe.about.license or declared_license(built),
    )  # fmt: skip
    done = finish_wheel(
        built, work / "finished", prepared.names, sbom, recipe.run,
        own=prepared.own, licenses=license_files(prepared.host, crates), libraries=build.host.opt / "lib",
    )  # fmt: skip
    with log.open("a", encoding="utf-8") as file:
        file.write(f"\n{done.report}")
    if verify is not None:
        places = [path for path in prepared.names if path.parts[1:2] != ("usr",)]
        verify(done.path, build, places=places, hint=f"see the build log {log}; to enter the build, run: {enter}")
    return done.path


def _host_prefix(host: Sequence[HostPackage], root: Path, kept: KeptBuild | None) -> HostPrefix:
    """The host prefix; that of a kept build if it has the same files, whose times make would go by."""
    if kept is not None and kept.host == host_identity(host):
        return read_host_prefix(root)
    remove_tree(root)
    return make_host_prefix(host, root)


def _environment(build: Build, names: Mapping[Path, str], support: Support) -> dict[str, str]:
    """The environment of every cross build, with the languages' variables and the recipe's."""
    home = build.work / "home"
    home.mkdir(parents=True, exist_ok=True)
    own = {
        # A configure step can crash the compiler; its dumps belong to this build, not in /tmp.
        "CLANG_CRASH_DIAGNOSTICS_DIR": str(build.work / "crashes"),
        # Meson and Cython are started often; they need not be compiled each time. Neither source nor wheel has a .pyc.
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(build.work / "pycache"),
        # Cython translates again what is older than the declarations it reads, its own included, which are as old as
        # their installation. So that it does not depend on that, it always does, as the locked version does it.
        "CYTHON_FORCE_REGEN": "1",
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
        pkg_config=[*build.host.pkg_config, build.environment.pkg_config],
        variables={**own, **jobs.env, **support.env, **recipe},
    )


def _neutral_names(build: Build) -> dict[Path, str]:
    """Directories of this machine, with the names that built files have instead, which are the same everywhere."""
    context = build.context
    names = {
        build.tree: f"/usr/src/{build.tree.name}",
        build.host.root: HOST_PREFIX,
        build.work: "/usr/src/build",
        build.environment.root: "/forge/environment",
        context.python.root: "/forge/Python.xcframework",
        # The cache's directories, not the cache itself: packages use names such as /srv or /data for themselves.
        **{room: f"/forge/{room.name}" for room in context.home.rooms},
    }
    return names | {path.parent: "/forge/toolchain" for path in context.toolchain.path if path.name == "bin"}
