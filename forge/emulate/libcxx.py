"""libc++ and libc++abi as a Mach-O image, for emulated wheels to import.

Linux's own libc++ cannot be used: its character classes are glibc's, and ``std::string`` has another layout on arm64.
So LLVM's sources (from the pinned ``ziglang`` wheel) are compiled for the simulator or the device with forge's
toolchain, configured as Apple's vendor build, and linked into one library with the symbols of both: Apple's libc++
re-exports libc++abi.

    emulate/libcxx/<multiarch>-<fingerprint>/libc++.1.dylib
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forge.base.atomic import atomic_directory, locked
from forge.base.attempts import new_attempt, new_log, remove_tree
from forge.base.cpus import cpu_count
from forge.base.errors import ToolchainError
from forge.base.hashing import file_sha256, fingerprint
from forge.base.process import run, run_each
from forge.base.target import IOSVersion, Target
from forge.emulate.runtime.loader import LIBCXX
from forge.source.fetch import fetch
from forge.source.model import SdistSource
from forge.toolchain.data import load_yaml
from forge.toolchain.environment import cross_environment
from forge.toolchain.llvm import LLVMToolchain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.toolchain.base import Toolchain

INSTALL_NAME = "/usr/lib/libc++.1.dylib"
FILE_NAME = "libc++.1.dylib"
LIBRARIES = ("libcxx", "libcxxabi")
# An iOS version with everything that the sources use (aligned allocation, for example).
DEPLOYMENT = IOSVersion(17, 0)

# LLVM's build system writes this into __config_site for Apple's vendor build (libcxx/cmake/caches/Apple.cmake). The
# wheel's __config does not include that file, so it is included on the command line.
CONFIG_SITE = """
#define _LIBCPP_ABI_VERSION 1
#define _LIBCPP_ABI_NAMESPACE __1
#define _LIBCPP_HAS_THREADS 1
#define _LIBCPP_HAS_MONOTONIC_CLOCK 1
#define _LIBCPP_HAS_TERMINAL 1
#define _LIBCPP_HAS_MUSL_LIBC 0
#define _LIBCPP_HAS_THREAD_API_PTHREAD 1
#define _LIBCPP_HAS_THREAD_API_EXTERNAL 0
#define _LIBCPP_HAS_THREAD_API_WIN32 0
#define _LIBCPP_HAS_THREAD_API_C11 0
#define _LIBCPP_HAS_VENDOR_AVAILABILITY_ANNOTATIONS 0
#define _LIBCPP_HAS_FILESYSTEM 1
#define _LIBCPP_HAS_RANDOM_DEVICE 1
#define _LIBCPP_HAS_LOCALIZATION 1
#define _LIBCPP_HAS_UNICODE 1
#define _LIBCPP_HAS_WIDE_CHARACTERS 1
#define _LIBCPP_HAS_TIME_ZONE_DATABASE 0
#define _LIBCPP_INSTRUMENTED_WITH_ASAN 0
#define _LIBCPP_LIBC_NEWLIB 0
#define _LIBCPP_LIBC_LLVM_LIBC 0
#define _LIBCPP_PSTL_BACKEND_SERIAL
#define _LIBCPP_HARDENING_MODE_DEFAULT 2
#define _LIBCPP_ASSERTION_SEMANTIC_DEFAULT 2
"""
_CONFIG_SITE_FILE = "config_site.h"
# libSystem's futex, which std::atomic's waiting calls. No public header declares it, so the SDK's stubs do not list it.
_PRIVATE_STUB = """\
--- !tapi-tbd
tbd-version: 4
targets: [x86_64-ios-simulator, arm64-ios-simulator, arm64-ios]
install-name: /usr/lib/libSystem.B.dylib
exports:
  - targets: [x86_64-ios-simulator, arm64-ios-simulator, arm64-ios]
    symbols: [___ulock_wait, ___ulock_wake]
...
"""
SKIPPED = ("/support/", "/pstl/", "/experimental/", "int128_builtins", "cxa_noexception")
"""Parts of the paths of sources for other systems, and for features that Apple's libc++ does not have."""


def unpack_sources(wheel: Path, root: Path) -> None:
    """Unpack both libraries' sources and write their configuration.

    Args:
        wheel: The pinned ``ziglang`` wheel (``forge/toolchain/data/sdk.yaml``).
        root: The directory for ``libcxx``, ``libcxxabi`` and the configuration.
    """
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.namelist():
            for library in LIBRARIES:
                prefix = f"ziglang/lib/{library}/"
                if member.startswith(prefix) and not member.endswith("/"):
                    path = root / library / member.removeprefix(prefix)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(archive.read(member))
    (root / _CONFIG_SITE_FILE).write_text(CONFIG_SITE, encoding="utf-8")


def library_sources(root: Path, library: str) -> tuple[Path, ...]:
    """The sources of ``libcxx`` or ``libcxxabi`` that Apple's build compiles, in a fixed order."""
    source = root / library / "src"
    return tuple(sorted(p for p in source.rglob("*.cpp") if not any(part in str(p) for part in SKIPPED)))


def compile_flags(root: Path) -> tuple[str, ...]:
    """The compiler's arguments for every source, except for the target and the SDK."""
    directories = ("libcxx/include", "libcxxabi/include", "libcxx/src", "libcxx/libc", "libcxxabi/src")
    return (
        "-std=c++23", "-Os", "-fvisibility=hidden", "-fvisibility-inlines-hidden", "-nostdinc++", "-w",
        "-DLIBCXX_BUILDING_LIBCXXABI", "-D_LIBCPP_BUILDING_LIBRARY", "-D_LIBCXXABI_BUILDING_LIBRARY",
        "-include", str(root / _CONFIG_SITE_FILE),
        *(f"-isystem{root / directory}" for directory in directories),
    )  # fmt: skip


def names_libcxx(loaded: Iterable[str]) -> bool:
    """Whether libc++ or libc++abi is among the install names of what is loaded."""
    return not LIBCXX.isdisjoint(loaded)


def ensure_libcxx(
    home: ForgeHome, toolchain: Toolchain, target: Target, progress: Progress, *, jobs: int | None = None
) -> Path:
    """libc++ with libc++abi for a target: taken from the cache, or compiled (under a minute on two cores).

    Args:
        home: The cache.
        toolchain: The toolchain.
        target: The ABI and CPU; the minimum iOS version is ignored.
        progress: Receives progress updates.
        jobs: How many compilers run at once; by default, one per CPU.

    Returns:
        ``libc++.1.dylib``, whose install name is `INSTALL_NAME`.

    Raises:
        SourceError, NetworkError: The sources are not available.
        ToolchainError, BuildError: They cannot be compiled.
    """
    pin: dict[str, Any] = load_yaml("sdk.yaml")["ziglang"]
    target = Target(target.abi, target.arch, DEPLOYMENT)
    key = fingerprint(
        {
            "source": pin["sha256"],
            "toolchain": toolchain.id,
            "target": [target.multiarch, str(target.ios_version)],
            "code": file_sha256(Path(__file__)),
        }
    )
    entry = f"{target.multiarch}-{key[:16]}"
    destination = home.root / "emulate" / "libcxx" / entry
    with locked(home.locks, f"libcxx-{entry}"):
        if destination.is_dir():
            return destination / FILE_NAME
        wheel = fetch(SdistSource(pin["name"], pin["version"], pin["sha256"], pin["filename"]), home, progress)
        work = new_attempt(home.work, f"libcxx-{entry}")
        log = new_log(home.logs, f"libcxx-{target.multiarch}")
        progress.phase(f"libc++ {target}", "compile")
        with atomic_directory(destination) as temporary:
            unpack_sources(wheel, work)
            objects = _compile(work, toolchain, target, log, jobs or cpu_count())
            _link(work, objects, toolchain, target, log, temporary / FILE_NAME)
        remove_tree(work)
    return destination / FILE_NAME


def _compile(work: Path, toolchain: Toolchain, target: Target, log: Path, jobs: int) -> list[Path]:
    if not isinstance(toolchain, LLVMToolchain):
        raise ToolchainError(f"libc++ can only be compiled with LLVM, not with {toolchain.description}")
    env = cross_environment(toolchain, target, work)
    # Not through xcrun: its clang++ uses the SDK's libc++ headers, which are of another release than these sources.
    compiler: list[str | Path] = [toolchain.llvm.bin / "clang++", "-target", target.clang_triple]
    compiler += ["-isysroot", toolchain.sdk_path(target.abi), f"-ffile-prefix-map={work}=/usr/src/libcxx"]
    flags = compile_flags(work)
    objects = work / "objects"
    objects.mkdir()
    made = {
        source: objects / (source.relative_to(work).as_posix().replace("/", "-") + ".o")
        for library in LIBRARIES
        for source in library_sources(work, library)
    }
    commands = [
        (f"compiling {source.name}", [*compiler, *flags, "-c", source, "-o", file]) for source, file in made.items()
    ]
    run_each(commands, log=log, env=env, cwd=work, jobs=jobs)
    return list(made.values())


def _link(
    work: Path, objects: Sequence[Path], toolchain: Toolchain, target: Target, log: Path, destination: Path
) -> None:
    """Link the objects of both libraries into one; everything else, the unwinder included, is in libSystem."""
    env = cross_environment(toolchain, target, work)
    private = work / "libSystemPrivate.tbd"
    private.write_text(_PRIVATE_STUB, encoding="utf-8")
    flags = ["-dynamiclib", "-nostdlib++", "-install_name", INSTALL_NAME, "-current_version", "1800"]
    flags += ["-compatibility_version", "1", "-Wl,-dead_strip"]
    linker: list[str | Path] = [
        toolchain.path[0] / "xcrun",
        "--sdk",
        str(target.abi),
        "clang++",
        "-target",
        target.clang_triple,
    ]
    command = [*linker, *flags, *objects, "-lSystem", private, "-o", destination]
    run(command, log=log, env=env, cwd=work, what="linking libc++")
