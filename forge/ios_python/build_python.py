"""The build Python: a CPython of exactly the iOS Python's version that runs on the build machine.

CPython's cross build runs the new standard library in it, so another patch release will not do (3.13.0 cannot run
3.13.5's ``linecache``), and the cross environment pretends that it is the iOS Python.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.atomic import atomic_directory, locked
from forge.base.attempts import new_attempt, remove_tree
from forge.base.errors import BuildError, IOSPythonError, ToolchainError
from forge.base.hashing import fingerprint
from forge.base.process import output, run
from forge.ios_python.native import JOBS
from forge.source.fetch import fetch, prepare
from forge.toolchain.environment import build_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.ios_python.releases import Release

NEEDED_MODULES = ("ssl", "zlib", "ctypes", "venv", "ensurepip", "bz2", "lzma")
"""What builds need of it: pip over HTTPS, archives, virtual environments, tools that use ctypes."""

DEBIAN_PACKAGES = (
    "gcc", "make", "libc6-dev", "libssl-dev", "zlib1g-dev", "libffi-dev", "libbz2-dev", "liblzma-dev",
)  # fmt: skip
"""The Debian packages that are needed to build one."""

_PROBE = f"""
import importlib, json, platform, sys
missing = []
for name in {NEEDED_MODULES!r}:
    try:
        importlib.import_module(name)
    except ImportError:
        missing.append(name)
print(json.dumps([platform.python_implementation(), platform.python_version(), missing]))
"""


@dataclass(frozen=True)
class BuildPython:
    """A usable build Python.

    Args:
        executable: Its program.
        version: The full version.
    """

    executable: Path
    version: str


def find_build_python(home: ForgeHome, version: str) -> BuildPython | None:
    """A CPython of this full version that has what builds need: named, on PATH, pyenv's, or built by forge before."""
    for executable in _candidates(home, version):
        if probe(executable) == (version, ()):
            return BuildPython(executable, version)
    return None


def find_minor_python(home: ForgeHome, minor: str) -> BuildPython | None:
    """A CPython of a minor version (``3.13``), of whatever patch release, that has what builds need."""
    for executable in _candidates(home, f"{minor}.*"):
        found = probe(executable)
        if found is not None and found[0].startswith(f"{minor}.") and not found[1]:
            return BuildPython(executable, found[0])
    return None


def probe(executable: Path) -> tuple[str, tuple[str, ...]] | None:
    """A CPython's full version and which of `NEEDED_MODULES` it lacks; None if it is not a working CPython."""
    try:
        said = output([executable, "-I", "-c", _PROBE], timeout=60)
        implementation, version, missing = json.loads(said)
    except (ToolchainError, ValueError, TypeError):
        return None
    return (version, tuple(missing)) if implementation == "CPython" else None


def _check_named(version: str) -> None:
    """Reject an unsuitable FORGE_BUILD_PYTHON instead of silently using another Python."""
    if named := os.environ.get("FORGE_BUILD_PYTHON"):
        state = probe(Path(named).absolute())
        if state is None:
            reason = "is not a working CPython"
        elif state[0] != version:
            reason = f"is CPython {state[0]} instead of {version}"
        elif state[1]:
            reason = f"lacks these modules: {', '.join(state[1])}"
        else:
            return
        raise IOSPythonError(
            f"FORGE_BUILD_PYTHON is set to {named}, which {reason}", hint="set it to another Python, or unset it"
        )


def _candidates(home: ForgeHome, version: str) -> Iterator[Path]:
    minor = version.rpartition(".")[0]
    name = f"python{minor}"
    # Absolute, since builds run in directories of their own.
    if named := os.environ.get("FORGE_BUILD_PYTHON"):
        yield Path(named).absolute()
    pyenv = Path(os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv"))  # noqa: PTH111 - never raises
    for directory in map(Path, os.get_exec_path()):
        path = (directory / name).absolute()
        # What pyenv's shims start depends on directory and environment, which are others in a build.
        # A directory that may not be read, as PATH has it after su or sudo, holds no Python for this user: os.access
        # says so, where Path.is_file raises (before Python 3.12).
        if directory != pyenv / "shims" and os.access(path, os.X_OK) and path.is_file():
            yield path
    if os.access(pyenv / "versions", os.R_OK | os.X_OK):
        yield from sorted(p for p in (pyenv / "versions").glob(f"{version}/bin/{name}") if os.access(p, os.X_OK))
    yield from sorted(home.build_pythons.glob(f"{version}-*/bin/{name}"))


def ensure_build_python(home: ForgeHome, release: Release, progress: Progress) -> BuildPython:
    """Find the build Python for a release, or build it from the release's own source.

    Raises:
        SourceError, NetworkError: The source cannot be had.
        ToolchainError: A C compiler is missing.
        BuildError: The build failed.
        IOSPythonError: The result lacks a module that builds need (a development package is not installed), or
            FORGE_BUILD_PYTHON names an unsuitable Python.
    """
    _check_named(release.version)
    if found := find_build_python(home, release.version):
        return found
    subject = f"build Python {release.version}"
    key = fingerprint({"cpython": release.cpython.identity, "code": 1})
    destination = home.build_pythons / f"{release.version}-{key[:12]}"
    with locked(home.locks, f"build-python-{release.version}"):
        if found := find_build_python(home, release.version):  # another process made it meanwhile
            return found
        for tool in ("cc", "make"):
            if shutil.which(tool) is None:
                raise ToolchainError(
                    f"building Python {release.version} for this machine requires {tool}, which was not found",
                    hint="run 'forge doctor' for the command that installs it",
                )
        archive = fetch(release.cpython.source, home, progress)
        _build(home, release, archive, destination, progress, subject)
    executable = destination / "bin" / f"python{release.minor}"
    state = probe(executable)
    if state is None or state[1]:
        lacking = ", ".join(state[1]) if state else "everything"
        shutil.rmtree(destination, ignore_errors=True)
        raise IOSPythonError(
            f"{subject} was built without {lacking}: a development package is missing",
            hint="run 'forge doctor' for the command that installs it",
        )
    return BuildPython(executable, release.version)


def _build(
    home: ForgeHome, release: Release, archive: Path, destination: Path, progress: Progress, subject: str
) -> None:
    work = new_attempt(home.work, destination.name)
    log = home.logs / f"build-python-{release.version}.log"
    log.unlink(missing_ok=True)
    tree = work / "Python"
    prepare(archive, (), tree, progress)
    env = build_environment(work)
    # A Python is not relocatable, so it is configured for its final place, installed below a staging root, and moved.
    progress.phase(subject, "configure")
    run(
        ["./configure", f"--prefix={destination}", "--disable-test-modules", "--with-ensurepip=install"],
        log=log, env=env, cwd=tree, what=subject,
    )  # fmt: skip
    progress.phase(subject, "compile")
    run(["make", f"-j{JOBS}"], log=log, env=env, cwd=tree, what=subject)
    progress.phase(subject, "install")
    with atomic_directory(destination) as temporary:
        run(["make", "install", f"DESTDIR={temporary}/root"], log=log, env=env, cwd=tree, what=subject)
        staged = Path(f"{temporary}/root{destination}")
        if not staged.is_dir():
            raise BuildError(f"{subject}: nothing was installed", log=log)
        for child in staged.iterdir():
            child.rename(temporary / child.name)
        shutil.rmtree(temporary / "root")
    remove_tree(work)
