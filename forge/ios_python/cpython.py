"""One target's CPython: configured, compiled and installed as a framework (CPython's ``iOS/README.rst``)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.cpus import cpu_count
from forge.base.errors import BuildError
from forge.base.neutral import neutral
from forge.base.process import output, run
from forge.toolchain.environment import TOOLS_DIRECTORY, cross_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.ios_python.build_python import BuildPython
    from forge.toolchain.base import Toolchain

PREFIX = "/forge/Python"
"""What the built Python believes its place to be. Nothing is ever there: an iOS Python is relocated into each app, and
forge rewrites the prefix when it makes a cross environment. A fixed name keeps builds the same on every machine."""

SOURCE_NAME = "/usr/src/python"
"""What debug information and ``__FILE__`` call the source tree."""

# Functions that came after most minimum iOS versions and that CPython, unlike preadv() and others, does not check for
# when it runs; configure finds them because it declares them itself. The value is the iOS version that has them.
NEWER_FUNCTIONS = {"pipe2": 27, "dup3": 27}


def build_cpython(
    *,
    tree: Path,
    minor: str,
    target: Target,
    libraries: Mapping[str, Path],
    toolchain: Toolchain,
    build_python: BuildPython,
    work: Path,
    staging: Path,
    log: Path,
    progress: Progress,
    subject: str,
) -> Path:
    """Compile CPython for one target.

    Args:
        tree: Its unpacked source; used up.
        minor: The minor version, e.g. ``3.13``.
        target: What is compiled for.
        libraries: The prefixes of the static libraries, by name.
        toolchain: Whose xcrun is used.
        build_python: A CPython of the same version.
        work: The directory of this build.
        staging: Where it is installed (DESTDIR).
        log: The log file.
        progress: Is told the phases.
        subject: What to call this build.

    Returns:
        The installed tree: ``Python.framework``, ``bin``, ``include``, ``lib``.

    Raises:
        BuildError: A step failed, or an extension module is missing.
    """
    prefix_map = {tree: SOURCE_NAME} | {path: f"/usr/src/{name}" for name, path in libraries.items()}
    env = cross_environment(
        toolchain,
        target,
        work,
        path=[tree / "iOS" / "Resources" / "bin"],
        prefix_map=prefix_map,
        pkg_config=[path / "lib" / "pkgconfig" for path in libraries.values()],
    )
    progress.phase(subject, "configure")
    _enable_modules(tree / "configure", ("_multiprocessing", "_posixshmem"))
    host = target.clang_triple  # configure takes the minimum iOS version from here
    command = [
        "./configure",
        f"--host={host}",
        f"--build={_build_triple(tree)}",
        f"--with-build-python={build_python.executable}",
        f"--enable-framework={PREFIX}",
        f"--with-openssl={libraries['openssl']}",
        "--disable-test-modules",
        "--without-ensurepip",
        *_library_variables(libraries),
        *(f"ac_cv_func_{name}=no" for name, since in NEWER_FUNCTIONS.items() if target.ios_version.major < since),
        # configure's default but for -g: debug information stays in the object files and is lost with them.
        "OPT=-O3 -Wall",
    ]
    run(command, log=log, env=env, cwd=tree, what=subject)
    progress.phase(subject, "compile")
    run(["make", f"-j{cpu_count()}"], log=log, env=env, cwd=tree, what=subject)
    progress.phase(subject, "install")
    run(["make", "install", f"DESTDIR={staging}"], log=log, env=env, cwd=tree, what=subject)
    installed = Path(f"{staging}{PREFIX}")
    _check_modules(installed, minor, log, subject)
    # configure wrote down where it found the machine's tools (INSTALL, MKDIR_P): as links in this build's directory.
    tools = {link: link.name for link in (work / TOOLS_DIRECTORY).iterdir()}
    _neutralise(installed, prefix_map | tools | {build_python.executable: f"python{minor}"})
    return installed


REQUIRED_MODULES = (
    "_bz2", "_ctypes", "_decimal", "_hashlib", "_lzma", "_multiprocessing", "_posixshmem", "_sqlite3", "_ssl", "_uuid",
    "zlib",
)  # fmt: skip
"""Extension modules without which the build is a failure: configure leaves one out silently if its library is amiss."""


def _enable_modules(configure: Path, names: tuple[str, ...]) -> None:
    """Take modules off the list of those that upstream's configure switches off for iOS.

    They compile there, and ``import multiprocessing`` wants them. The switch is a plain assignment, which a value on
    the command line does not survive; without it configure checks for the module as on any other platform.
    """
    text = configure.read_text(encoding="utf-8")
    for name in names:
        line = f"    py_cv_module_{name}=n/a\n"
        if line not in text:
            raise BuildError(
                f"configure does not switch {name} off as expected", hint="this release differs: adapt forge"
            )
        text = text.replace(line, "")
    configure.write_text(text, encoding="utf-8")


def _check_modules(installed: Path, minor: str, log: Path, subject: str) -> None:
    directory = installed / "lib" / f"python{minor}" / "lib-dynload"
    there = {path.name.partition(".")[0] for path in directory.glob("*.so")}
    if missing := [name for name in REQUIRED_MODULES if name not in there]:
        raise BuildError(f"{subject}: the extension modules {', '.join(missing)} were not built", log=log)


def _build_triple(tree: Path) -> str:
    return output([tree / "config.guess"]).strip()


def _library_variables(libraries: Mapping[str, Path]) -> list[str]:
    """What configure would ask pkg-config for, said outright: the static archives, by path."""
    parts = {
        "LIBFFI": ("libffi", "ffi"),
        "LIBLZMA": ("xz", "lzma"),
        "BZIP2": ("bzip2", "bz2"),
        "LIBSQLITE3": ("sqlite", "sqlite3"),
    }
    variables: list[str] = []
    for variable, (name, archive) in parts.items():
        prefix = libraries[name]
        variables += [f"{variable}_CFLAGS=-I{prefix}/include", f"{variable}_LIBS=-L{prefix}/lib -l{archive}"]
    return variables


def _neutralise(installed: Path, names: Mapping[Path, str]) -> None:
    """Take this machine's paths out of the text files that record how Python was built."""
    for path in installed.rglob("*"):
        if path.is_symlink() or not path.is_file() or path.suffix not in {".py", ".pc", ".sh", "", ".in"}:
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        changed = neutral(text.encode(), names)
        if changed != text.encode():
            mode = path.stat().st_mode
            path.write_bytes(changed)
            path.chmod(mode)
    for cache in installed.rglob("__pycache__"):
        shutil.rmtree(cache)
