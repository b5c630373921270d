"""The build Python: a CPython that runs on the build machine, in which back ends believe to be on iOS.

For wheels any patch release of the iOS Python's minor version will do: headers and sysconfig data are the target's, and
what a build is told of the patch release is always the same (`forge.ios_python.tree`). Only CPython's own cross build
needs the very release, since it runs the new standard library (3.13.0 cannot run 3.13.5's ``linecache``).
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.atomic import atomic_directory, locked
from forge.base.attempts import new_attempt, new_log, remove_tree
from forge.base.cpus import cpu_count
from forge.base.errors import BuildError, IOSPythonError, NetworkError, SourceError, ToolchainError
from forge.base.hashing import fingerprint
from forge.base.process import output, run
from forge.ios_python.headers import find_inside, header_archives, unpack_any
from forge.ios_python.releases import find_release
from forge.source.fetch import fetch, prepare
from forge.toolchain.environment import build_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.ios_python.headers import HeaderArchive
    from forge.ios_python.releases import Release

NEEDED_MODULES = ("ssl", "zlib", "ctypes", "venv", "bz2", "lzma")
"""What builds need of it: pip over HTTPS, archives, virtual environments, tools that use ctypes."""

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

    @property
    def minor(self) -> str:
        """The minor version, e.g. ``3.13``."""
        return ".".join(self.version.split(".")[:2])


def find_exact_python(home: ForgeHome, version: str) -> BuildPython | None:
    """A CPython of this full version that has what builds need; see `find_build_python`."""
    for executable in _candidates(home, version):
        if probe(executable) == (version, ()):
            return BuildPython(executable, version)
    return None


def find_build_python(home: ForgeHome, minor: str) -> BuildPython | None:
    """A CPython of a minor version (``3.13``), of whatever patch release, that has what builds need.

    Asked are FORGE_BUILD_PYTHON, then PATH (Debian's among them), pyenv's and uv's directories, and what forge made.
    """
    for executable in _candidates(home, f"{minor}.*"):
        found = probe(executable)
        if found is not None and found[0].startswith(f"{minor}.") and not found[1]:
            return BuildPython(executable, found[0])
    return None


def probe(executable: Path) -> tuple[str, tuple[str, ...]] | None:
    """A CPython's full version and which of `NEEDED_MODULES` it lacks; None if it is not a working CPython."""
    try:
        stat = executable.stat()
    except OSError:
        return None
    return _probe(executable, (stat.st_mtime_ns, stat.st_size))


@cache
def _probe(executable: Path, _file: tuple[int, int]) -> tuple[str, tuple[str, ...]] | None:
    try:
        said = output([executable, "-I", "-c", _PROBE])
        implementation, version, missing = json.loads(said)
    except (ToolchainError, ValueError, TypeError):
        return None
    return (version, tuple(missing)) if implementation == "CPython" else None


def _named() -> list[Path]:
    """The programs in FORGE_BUILD_PYTHON, each for its own version; absolute, since builds run in other directories."""
    return [Path(each).absolute() for each in os.environ.get("FORGE_BUILD_PYTHON", "").split(os.pathsep) if each]


def _check_named(minor: str) -> None:
    """Reject an unsuitable FORGE_BUILD_PYTHON instead of silently using another Python.

    Args:
        minor: The minor version that is needed. Programs of other versions are for other builds.
    """
    named = _named()
    for path in named:
        state = probe(path)
        if state is None:
            reason = "is not a working CPython"
        elif not state[0].startswith(f"{minor}."):
            continue
        elif state[1]:
            reason = f"lacks these modules: {', '.join(state[1])}"
        else:
            continue
        raise IOSPythonError(
            f"FORGE_BUILD_PYTHON names {path}, which {reason}", hint="name another Python there, or unset it"
        )


def _candidates(home: ForgeHome, version: str) -> Iterator[Path]:
    """Programs that may be the Python.

    Args:
        home: The cache.
        version: A full version, or a minor one with ``.*`` behind it.
    """
    minor = version.rpartition(".")[0]
    name = f"python{minor}"
    yield from _named()
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
    named_uv = os.environ.get("UV_PYTHON_INSTALL_DIR")
    uv = Path(named_uv or os.path.expanduser("~/.local/share/uv/python"))  # noqa: PTH111 - never raises
    if os.access(uv, os.R_OK | os.X_OK):
        yield from sorted(p for p in uv.glob(f"cpython-{version}-*/bin/{name}") if os.access(p, os.X_OK))
    yield from sorted(home.build_pythons.glob(f"{version}-*/bin/{name}"))


def ensure_build_python(home: ForgeHome, minor: str, progress: Progress) -> BuildPython:
    """A build Python for wheels: one that is there, else one out of a pinned archive, else one compiled.

    Args:
        home: The cache.
        minor: The minor version, e.g. ``3.13``.
        progress: Receives progress updates.

    Raises:
        IOSPythonError: There is none, and forge can neither get nor build one; or FORGE_BUILD_PYTHON names an
            unsuitable Python.
        ForgeError: It cannot be had or built; see `ensure_exact_python`.
    """
    _check_named(minor)
    if found := find_build_python(home, minor):
        return found
    if found := prebuilt_python(home, minor, progress):
        return found
    try:
        release = find_release(minor)
    except IOSPythonError as error:
        raise IOSPythonError(
            f"building wheels for Python {minor} requires a CPython {minor} on this machine, and none was found",
            hint=f"install one (python{minor} with its venv module), or name one in FORGE_BUILD_PYTHON",
        ) from error
    return ensure_exact_python(home, release, progress)


def prebuilt_python(home: ForgeHome, minor: str, progress: Progress) -> BuildPython | None:
    """A Linux Python out of one of the archives that headers come from; None if none has one for this machine."""
    if not sys.platform.startswith("linux"):
        return None
    archives = [
        archive
        for archive in header_archives(minor)
        if archive.build_python is not None and archive.build_python[1] == platform.machine()
    ]
    for archive in archives:
        prefix = archive.build_python[0] if archive.build_python else ""
        destination = home.build_pythons / f"{archive.release}-{archive.source.sha256[:12]}"
        executable = destination / "bin" / f"python{minor}"
        with locked(home.locks, f"build-python-{destination.name}"):
            if not executable.is_file():
                try:
                    file = fetch(archive.source, home, progress)
                except (NetworkError, SourceError) as error:
                    progress.note(f"build Python {minor}", error.message.splitlines()[0])
                    continue
                progress.phase(f"build Python {archive.release}", "unpack")
                _unpack_python(file, prefix, destination)
        state = probe(executable)
        if state is not None and not state[1]:
            return BuildPython(executable, state[0])
        # Another C library, say.
        progress.note(f"build Python {minor}", f"{archive.release} out of {file_name(archive)} does not run here")
    return None


def file_name(archive: HeaderArchive) -> str:
    """What an archive is called."""
    return archive.source.urls[0].rpartition("/")[2]


def _unpack_python(file: Path, prefix: str, destination: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch, atomic_directory(destination) as temporary:
        tree = Path(scratch) / "tree"
        unpack_any(file, tree)
        shutil.copytree(find_inside(tree, prefix), temporary, dirs_exist_ok=True, symlinks=True)
        for path in (temporary / "bin").iterdir():  # a zip file's members may have no mode
            path.chmod(0o755)


def ensure_exact_python(home: ForgeHome, release: Release, progress: Progress) -> BuildPython:
    """Find a CPython of a very release, or build it from the release's own source.

    Raises:
        SourceError, NetworkError: The source cannot be had.
        ToolchainError: A C compiler is missing.
        BuildError: The build failed.
        IOSPythonError: The result lacks a module that builds need (a development package is not installed).
    """
    if found := find_exact_python(home, release.version):
        return found
    subject = f"build Python {release.version}"
    key = fingerprint({"cpython": release.cpython.identity, "code": 1})
    destination = home.build_pythons / f"{release.version}-{key[:12]}"
    with locked(home.locks, f"build-python-{release.version}"):
        if found := find_exact_python(home, release.version):  # another process made it meanwhile
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
    log = new_log(home.logs, f"build-python-{release.version}")
    tree = work / "Python"
    prepare(archive, (), tree, progress)
    env = build_environment(work)
    # A Python is not relocatable, so it is configured for its final place, installed below a staging root, and moved.
    progress.phase(subject, "configure")
    run(
        ["./configure", f"--prefix={destination}", "--disable-test-modules", "--without-ensurepip"],
        log=log, env=env, cwd=tree, what=subject,
    )  # fmt: skip
    progress.phase(subject, "compile")
    run(["make", f"-j{cpu_count()}"], log=log, env=env, cwd=tree, what=subject)
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
