"""Fortran for iOS: LLVM's flang, its runtime library for a target, and a compiler command that knows both.

flang makes Mach-O objects for every Apple platform, but its distributions bring the runtime library
(``libFortranRuntime``: I/O, character operations, array intrinsics) for the build machine only. It is compiled from
the source of the very same LLVM release, since compiler and runtime share data layouts that are not stable
(flang/docs/RuntimeDescriptor.md). Complex results are returned as C returns them (flang/docs/ComplexOperations.md),
which is gfortran's convention too.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from forge.base.atomic import atomic_directory, atomic_file, locked
from forge.base.attempts import new_attempt, new_log, remove_tree
from forge.base.cpus import cpu_count
from forge.base.errors import SourceError, ToolchainError
from forge.base.hashing import fingerprint
from forge.base.process import output, run, run_each
from forge.toolchain.data import data_path
from forge.toolchain.environment import cross_environment
from forge.toolchain.llvm import find_llvm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.toolchain.base import Toolchain

NAMES = ("flang", "flang-new")
"""What the compiler is called: ``flang-new`` up to LLVM 19."""

_VERSION = re.compile(r"flang(?:-new)? version (\d+\.\d+\.\d+)")
_NEEDED = ("flang/runtime/", "flang/lib/Decimal/", "flang/include/flang/")
_DIRECTORIES = ("flang/runtime", "flang/lib/Decimal")

_LEFT_OUT = frozenset({"execute.cpp"})
"""EXECUTE_COMMAND_LINE is system(3), which iOS does not have: a program that calls it must not link."""

_CONFIG = "#define HAVE_STRERROR_R 1\n#define HAVE_DECL_STRERROR_S 0\n"
"""What flang's CMake finds out of Apple's C library (flang/runtime/config.h.cmake)."""

_ENVIRON = ("-include", "crt_externs.h", "-Denviron=(*_NSGetEnviron())")
"""Only a program has ``environ`` on Apple's systems, a library asks for it (environ(7)); the runtime does not know."""

_CODE = 1
"""Goes up when what `_build_runtime` does changes."""


@dataclass(frozen=True)
class Flang:
    """A Fortran compiler.

    Args:
        program: The compiler.
        version: The LLVM release, e.g. ``19.1.7``.
        said: The first line of ``--version``: release and packaging revision.
    """

    program: Path
    version: str
    said: str

    @property
    def id(self) -> str:
        """What tells one compiler from another, for fingerprints."""
        return f"{self.said} runtime {_CODE} wrapper {_wrapper_id()}"


@dataclass(frozen=True)
class FortranRuntime:
    """The runtime library for one target, and the command that compiles for it.

    Args:
        root: The directory that holds all of it.
        bin: For PATH: ``<triple>-flang``, named as CPython's wrappers of clang are.
    """

    root: Path
    bin: Path

    @property
    def lib(self) -> Path:
        """``libFortranRuntime.a``, with the decimal conversions in it."""
        return self.root / "lib"


def find_flang() -> Flang:
    """The Fortran compiler: ``FORGE_FLANG``'s, else that of the LLVM that compiles C, else (on a Mac) PATH's.

    Raises:
        ToolchainError: There is none; says how to get one.
    """
    for program in _candidates():
        said = output([program, "--version"]).partition("\n")[0].strip()
        if found := _VERSION.search(said):
            return Flang(program, found[1], said)
    raise ToolchainError("no Fortran compiler for Mach-O (LLVM's flang) found", hint=_install_hint())


def _candidates() -> Iterator[Path]:
    if named := os.environ.get("FORGE_FLANG"):
        yield Path(named).absolute()
        return
    if sys.platform == "darwin":
        yield from (Path(found) for name in NAMES if (found := shutil.which(name)))
        return
    directory = find_llvm().bin
    yield from (directory / name for name in NAMES if os.access(directory / name, os.X_OK))


def _install_hint() -> str:
    if sys.platform == "darwin":
        return "install LLVM's flang and add it to PATH, or set FORGE_FLANG to its path"
    return f"run 'apt-get install flang-{find_llvm().major}', or set FORGE_FLANG to the path of LLVM's flang"


def ensure_runtime(
    home: ForgeHome, flang: Flang, fetched: Callable[[], Path], toolchain: Toolchain, target: Target, wrappers: Path,
    progress: Progress,
) -> FortranRuntime:  # fmt: skip
    """The runtime library for a target, compiled if it is not there yet.

    Args:
        home: The cache.
        flang: Whose runtime it is.
        fetched: Gives LLVM's source of the same release, a tar archive; asked only if something is to be compiled.
        toolchain: What compiles it.
        target: What it is compiled for.
        wrappers: The directory of CPython's compiler wrappers.
        progress: Receives progress updates.

    Raises:
        SourceError: The archive is not LLVM's source.
        BuildError: Compiling it failed.
    """
    root = runtime_directory(home, flang, toolchain, target)
    with locked(home.locks, root.name):
        if not root.is_dir():
            _build_runtime(home, flang, fetched(), toolchain, target, wrappers, root, progress)
        made = FortranRuntime(root, root / f"bin-{_wrapper_id()}")
        command = made.bin / f"{target.host_triple}-flang"
        text = wrapper_text(flang, target, made.lib)
        if not command.is_file() or command.read_text(encoding="utf-8") != text:
            with atomic_file(command, "w", permissions=0o755) as file:
                file.write(text)
    return made


def runtime_directory(home: ForgeHome, flang: Flang, toolchain: Toolchain, target: Target) -> Path:
    """Where the runtime library for a target is, once it is compiled.

    Args:
        home: The cache.
        flang: Whose runtime it is.
        toolchain: What compiles it.
        target: What it is compiled for.
    """
    key = fingerprint(
        {
            "flang": flang.said,
            "code": _CODE,
            "toolchain": toolchain.id,
            "target": [target.multiarch, str(target.ios_version)],
        }
    )
    return home.toolchains / f"fortran-{flang.version}-{target.multiarch}-{key[:12]}"


def unpack_runtime(archive: Path, into: Path) -> None:
    """Take the runtime's part out of LLVM's source: some 3 MB of 1.5 GB.

    Args:
        archive: A tar archive of any compression.
        into: The directory that becomes LLVM's top directory.

    Raises:
        SourceError: It cannot be read, or lacks the runtime.
    """
    try:
        # One pass over a stream: to look a member up in a compressed archive would be to read it once more.
        with tarfile.open(archive, "r|*") as tar:
            for member in tar:
                path = PurePosixPath(*PurePosixPath(member.name).parts[1:])
                if not member.isfile() or not str(path).startswith(_NEEDED) or ".." in path.parts:
                    continue
                content = tar.extractfile(member)
                assert content is not None  # noqa: S101 - it is a file, tarfile's condition for not None
                file = into / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content.read())
    except (tarfile.TarError, EOFError, OSError) as error:
        raise SourceError(f"{archive.name}: {error}") from error
    if not all((into / directory).is_dir() for directory in _DIRECTORIES):
        raise SourceError(f"{archive.name} is not LLVM's source: it does not contain {' and '.join(_DIRECTORIES)}")


def _build_runtime(
    home: ForgeHome, flang: Flang, archive: Path, toolchain: Toolchain, target: Target, wrappers: Path, root: Path,
    progress: Progress,
) -> None:  # fmt: skip
    subject = f"Fortran {flang.version} runtime for {target}"
    progress.phase(subject, "unpack")
    work = new_attempt(home.work, root.name)
    source = work / "llvm"
    unpack_runtime(archive, source)
    progress.phase(subject, "compile")
    config = work / "config"
    config.mkdir()
    (config / "config.h").write_text(_CONFIG, encoding="utf-8")
    log = new_log(home.logs, root.name)
    env = cross_environment(toolchain, target, work, path=[wrappers], prefix_map={work: "/usr/src/fortran"})
    triple = target.host_triple
    files = sorted(
        file
        for directory in _DIRECTORIES
        for file in (source / directory).iterdir()
        if file.suffix in {".c", ".cpp"} and file.name not in _LEFT_OUT
    )
    # As flang's CMake files compile it: no C++ library is needed then. Nothing of it is to leave a module.
    cxx = ["-std=c++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-DFLANG_LITTLE_ENDIAN=1"]
    cxx += _ENVIRON
    objects = [work / f"{file.stem}.o" for file in files]
    commands: list[tuple[str, list[str | Path]]] = [
        (
            subject,
            [
                f"{triple}-clang{'' if file.suffix == '.c' else '++'}", "-c", "-O2", "-fPIC", "-fvisibility=hidden",
                "-w", *([] if file.suffix == ".c" else cxx), f"-I{source / 'flang' / 'include'}", f"-I{config}",
                file, "-o", made,
            ],
        )
        for file, made in zip(files, objects, strict=True)
    ]  # fmt: skip
    run_each(commands, log=log, env=env, cwd=work, jobs=cpu_count())
    with atomic_directory(root) as temporary:
        library = temporary / "lib" / "libFortranRuntime.a"
        library.parent.mkdir()
        run([f"{triple}-ar", "rcs", library, *objects], log=log, env=env, cwd=work, what=subject)
    remove_tree(work)


def _wrapper_id() -> str:
    return fingerprint({"text": data_path("flang.sh").read_text(encoding="utf-8")})[:16]


def wrapper_text(flang: Flang, target: Target, lib: Path) -> str:
    """The text of ``<triple>-flang``: compiles with flang, links with clang.

    Args:
        flang: The compiler.
        target: What it compiles for; the minimum iOS version comes from the environment, as with CPython's wrappers.
        lib: The directory of the runtime library.
    """
    places = {
        "FLANG": str(flang.program),
        "TRIPLE": target.host_triple,
        "ARCH": str(target.arch),
        "SIMULATOR": "-simulator" if target.is_simulator else "",
        "LIB": str(lib),
    }
    text = data_path("flang.sh").read_text(encoding="utf-8")
    for name, value in places.items():
        text = text.replace(f"@{name}@", value)
    return text
