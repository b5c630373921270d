"""Builds one recipe's wheel for one target: source, cross environment, back end, finished and checked wheel."""

from __future__ import annotations

import os
import shlex
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.audit.promise import Promise, check_promise
from forge.audit.report import render_text
from forge.base.attempts import new_attempt, new_log, remove_tree
from forge.base.errors import BuildError, RecipeError, WheelError
from forge.base.progress import SilentProgress
from forge.base.severity import Severity
from forge.build.build_side import include_directories
from forge.build.cross_environment import CrossEnvironment, ensure_cross_environment
from forge.build.finish import finish_wheel, own_files
from forge.build.fortran import fortran_runtime, fortran_variables
from forge.build.host_prefix import HostPackage, HostPrefix, make_host_prefix
from forge.build.licenses import license_files, linked_crates
from forge.build.materials import bill_of_materials
from forge.build.meson import cross_file, meson_wrapper
from forge.build.pep517 import build_wheel, declared_requires, vendored_meson
from forge.build.rust import rust_variables
from forge.build.script import build_script, script_variables
from forge.recipe.lock import lock_covers, merge_requires, read_lock
from forge.recipe.model import Backend, GitPin, Language, PathPin, SdistPin, UrlPin
from forge.recipe.values import HOST_PREFIX
from forge.source.fetch import fetch, prepare
from forge.source.model import GitSource, PathSource, SdistSource, Source, UrlSource
from forge.toolchain.environment import cross_environment
from forge.toolchain.rust import link_programs, rust_triple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from forge.audit.finding import Finding
    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.build.compilers import Compilers
    from forge.ios_python.build_python import BuildPython
    from forge.ios_python.model import IOSPython
    from forge.recipe.model import EvaluatedRecipe
    from forge.toolchain.base import Toolchain


@dataclass(frozen=True)
class BuiltWheel:
    """A built wheel that passed the check.

    Args:
        path: The file.
        log: The build's complete log.
        warnings: Findings of the check that are not errors.
        work: The work directory, if it was kept.
    """

    path: Path
    log: Path
    warnings: tuple[Finding, ...]
    work: Path | None = None


@dataclass(frozen=True)
class Setting:
    """What a build needs in addition to the recipe.

    Args:
        home: The cache.
        toolchain: The toolchain.
        python: The iOS Python to build against.
        build_python: The build Python, of the same minor version.
        keep_work: Keep the work directory of a successful build as well.
    """

    home: ForgeHome
    toolchain: Toolchain
    python: IOSPython
    build_python: BuildPython
    keep_work: bool = False


def source_of(recipe: EvaluatedRecipe) -> Source:
    """A recipe's source, as `forge.source` describes sources."""
    match recipe.source:
        case SdistPin(sha256, filename):
            return SdistSource(recipe.name, recipe.version, sha256, filename)
        case UrlPin(urls, sha256):
            return UrlSource(urls, sha256)
        case GitPin(url, revision):
            return GitSource(recipe.name, url, revision)
        case PathPin(path):
            return PathSource(recipe.recipe.directory / path)


def required(recipe: EvaluatedRecipe, tree: Path) -> tuple[str, ...]:
    """The build requirements that the source and the recipe declare; `forge.plan.lock` also asks the back end."""
    if recipe.is_native_library:
        return merge_requires((), recipe.requires)
    return merge_requires(declared_requires(tree), recipe.requires)


def build_recipe(
    recipe: EvaluatedRecipe,
    setting: Setting,
    *,
    key: str,
    out: Path,
    progress: Progress,
    subject: str,
    host: Sequence[HostPackage] = (),
    compilers: Compilers | None = None,
) -> BuiltWheel:
    """Build the wheel of a recipe for its target.

    Args:
        recipe: Evaluated for the target.
        setting: Toolchain and Pythons.
        key: Names the directory and the log of this build; builds with different keys can run at the same time.
        out: An existing directory for the finished wheel.
        progress: Receives the phases of the build.
        subject: The build's name in messages.
        host: The built host requirements, including indirect ones.
        compilers: The compilers of the recipe's languages.

    Raises:
        SourceError, NetworkError: The source is not available, or a patch does not apply.
        RecipeError: The lock is missing or out of date, or the recipe asks for something that forge does not support.
        BuildError: The back end failed; the work directory is kept.
        WheelError: The wheel does not match the recipe; the work directory is kept.
    """
    home, target = setting.home, recipe.target
    build = "-".join([recipe.normalized_name, recipe.version, *([str(target)] if recipe.native else []), key[:12]])
    log = new_log(home.logs, build)
    # A clean source tree for each build: nothing is left over from another target or a failed build.
    work = new_attempt(home.work, build)
    tree = work / f"{recipe.normalized_name}-{recipe.version}"
    archive = fetch(source_of(recipe), home, progress)
    progress.phase(subject, "unpack")
    prepare(archive, recipe.patches, tree, SilentProgress())
    lock = check_lock(recipe, tree)
    progress.phase(subject, "environment")
    environment = ensure_cross_environment(home, setting.python, target, setting.build_python, setting.toolchain, lock)
    prefix = make_host_prefix(host, work / "host")
    names = _neutral_names(recipe, setting, environment, work, tree)
    own = own_files(tree, names)
    variables, path = _language_variables(compilers, setting, target, environment, names, work, progress)
    env = _environment(recipe, setting, environment, work, names, prefix, variables, path)
    settings = prefix.expand_all(recipe.config_settings)
    if recipe.backend is Backend.MESON_PYTHON:
        settings, env = _with_meson(settings, env, recipe, environment, work, tree, prefix)
    if recipe.is_native_library:
        env = script_variables(recipe.target, work / "stage", prefix.opt) | env
    enter = write_enter_script(work, tree, env)
    progress.phase(subject, "build")
    raw = work / "wheel"
    raw.mkdir()
    try:
        if recipe.is_native_library:
            built = build_script(
                recipe, tree, env, work / "stage", raw,
                commands=tuple(map(prefix.expand, recipe.script)), log=log, subject=subject,
            )  # fmt: skip
        else:
            built = build_wheel(
                tree=tree,
                python=environment.cross_python,
                env=env,
                config_settings=settings,
                out=raw,
                log=log,
                subject=subject,
            )
    except BuildError as error:
        error.hint = error.hint or f"to enter the failed build, run: {enter}"
        raise
    progress.phase(subject, "finish and check")
    crates = () if compilers is None or compilers.rust is None else linked_crates(work, rust_triple(target))
    sbom = bill_of_materials(recipe, setting.python, setting.toolchain, lock, host, crates)
    run_requirements = () if recipe.is_native_library else recipe.run
    done = finish_wheel(
        built, work / "finished", names, sbom, run_requirements, own=own, licenses=license_files(host, crates)
    )
    with log.open("a", encoding="utf-8") as file:
        file.write(f"\n{done.report}")
    finished = done.path
    warnings = _check(
        finished, recipe, setting, names, hint=f"see the build log {log}; to enter the build, run: {enter}"
    )
    final = out / finished.name
    shutil.copyfile(finished, final)
    if setting.keep_work:
        return BuiltWheel(final, log, warnings, work)
    remove_tree(work)
    return BuiltWheel(final, log, warnings)


def write_enter_script(work: Path, tree: Path, env: Mapping[str, str]) -> Path:
    """Write a script that runs a command, or a shell, in the source tree with the build's environment."""
    variables = " ".join(shlex.quote(f"{name}={value}") for name, value in sorted(env.items()))
    script = work / "enter"
    script.write_text(
        "#!/bin/sh\n# Enter this build: ./enter [COMMAND...]\n"
        f"cd {shlex.quote(str(tree))} || exit\n"
        f'[ $# -gt 0 ] || set -- "${{SHELL:-/bin/sh}}"\n'
        f'exec env -i TERM="${{TERM:-dumb}}" {variables} "$@"\n',
        encoding="utf-8",
    )
    script.chmod(0o700)  # a proxy's password may be in it
    return script


def check_lock(recipe: EvaluatedRecipe, tree: Path) -> Path | None:
    """The recipe's lock, compared with what the source and the recipe require; None if none is needed.

    Only a native library without build requirements needs no lock.

    Raises:
        RecipeError: The lock is missing or out of date.
    """
    lock = recipe.lock_file
    hint = f"run 'forge lock {recipe.normalized_name}' and commit the file"
    if recipe.is_native_library and not recipe.requires and not lock.is_file():
        return None
    if not lock.is_file():
        raise RecipeError(f"the build requirements of {recipe.name} are not locked ({lock.name} is missing)", hint=hint)
    if not lock_covers(read_lock(lock), required(recipe, tree)):
        raise RecipeError(
            f"{recipe.name}: {lock.name} is out of date: the build requirements have changed since it was made",
            hint=hint,
        )
    return lock


def _language_variables(
    compilers: Compilers | None,
    setting: Setting,
    target: Target,
    environment: CrossEnvironment,
    names: Mapping[Path, str],
    work: Path,
    progress: Progress,
) -> tuple[dict[str, str], tuple[Path, ...]]:
    """Environment variables, and directories for PATH, of a recipe's languages."""
    variables: dict[str, str] = {}
    path: tuple[Path, ...] = ()
    if compilers is not None and compilers.rust is not None:
        variables |= rust_variables(compilers.rust, setting, target, environment, names, progress)
        path = (link_programs(compilers.rust, work / "rust"),)
    if compilers is not None and compilers.fortran is not None:
        runtime = fortran_runtime(compilers.fortran, setting, target, environment, progress)
        variables |= fortran_variables(runtime, target)
        path = (*path, runtime.bin)
    return variables, path


def _environment(
    recipe: EvaluatedRecipe,
    setting: Setting,
    environment: CrossEnvironment,
    work: Path,
    names: Mapping[Path, str],
    prefix: HostPrefix,
    variables: Mapping[str, str],
    path: Sequence[Path] = (),
) -> dict[str, str]:
    home = work / "home"
    home.mkdir(parents=True)
    # A configure step can crash the compiler; its dumps belong to this build, not in /tmp.
    own = {"CLANG_CRASH_DIAGNOSTICS_DIR": str(work / "crashes")}
    if headers := os.pathsep.join(map(str, include_directories(prefix.site_packages))):
        # Searched after directories that the build names itself, which may be the build side's (build_side.py).
        own["CPATH"] = headers
    return cross_environment(
        setting.toolchain,
        recipe.target,
        home,
        path=[environment.build_bin, environment.wrappers, *path],
        prefix_map=names,
        pkg_config=prefix.pkg_config,
        variables={**own, **variables, **{name: prefix.expand(value) for name, value in recipe.env.items()}},
    )


def _with_meson(
    settings: Mapping[str, tuple[str, ...]],
    env: dict[str, str],
    recipe: EvaluatedRecipe,
    environment: CrossEnvironment,
    work: Path,
    tree: Path,
    prefix: HostPrefix,
) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Config settings and environment, extended by the cross file, the build directory and the Meson to run."""
    cross = work / "forge-cross.ini"
    fortran = Language.FORTRAN in recipe.languages
    cross.write_text(cross_file(recipe.target, environment, prefix, fortran=fortran), encoding="utf-8")
    meson = work / "meson"
    meson.write_text(meson_wrapper(environment, vendored_meson(tree)), encoding="utf-8")
    meson.chmod(0o755)
    extended = {
        **settings,
        "setup-args": (f"--cross-file={cross}", *settings.get("setup-args", ())),
        "build-dir": (str(work / "meson-build"),),
    }
    return extended, env | {"MESON": str(meson)}


def _neutral_names(
    recipe: EvaluatedRecipe, setting: Setting, environment: CrossEnvironment, work: Path, tree: Path
) -> dict[Path, str]:
    """Directories of this machine, with the names that built files have instead, which are the same everywhere."""
    names = {
        tree: f"/usr/src/{recipe.normalized_name}-{recipe.version}",
        work / "host": HOST_PREFIX,
        work: "/usr/src/build",
        environment.root: "/forge/environment",
        setting.python.root: "/forge/Python.xcframework",
        # The cache's directories, not the cache itself: packages use names such as /srv or /data for themselves.
        **{room: f"/forge/{room.name}" for room in setting.home.rooms},
    }
    return names | {path.parent: "/forge/toolchain" for path in setting.toolchain.path if path.name == "bin"}


def _check(
    wheel: Path, recipe: EvaluatedRecipe, setting: Setting, names: Mapping[Path, str], *, hint: str
) -> tuple[Finding, ...]:
    promise = Promise(
        name=recipe.name,
        version=recipe.version,
        target=recipe.target,
        python="py3" if recipe.is_native_library else setting.python.python_tag,
        native=recipe.native,
        extensions=recipe.extensions,
        libraries=recipe.libraries,
        forbidden_prefixes=tuple(str(path) for path in names if path.parts[1:2] != ("usr",)),
    )
    findings = check_promise(wheel, promise)
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        if recipe.is_native_library and any(error.name == "not-native" for error in errors):
            hint = f"if the library has headers only, set 'native: false' under 'wheel'; {hint}"
        raise WheelError(
            f"{wheel.name} does not match its recipe:\n{render_text(errors).rstrip()}",
            hint=hint,
        )
    return findings
