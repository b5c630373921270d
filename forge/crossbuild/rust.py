"""Builds with Rust code: the settings of cargo, PyO3 and maturin for a target.

PyO3's guide describes its variables ("Building and distribution", "Cross Compiling").
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from forge.toolchain.llvm import LLVMToolchain
from forge.toolchain.rust import cargo_home, ensure_std, rust_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.crossbuild.context import BuildContext
    from forge.crossbuild.cross_environment import CrossEnvironment
    from forge.toolchain.base import Toolchain
    from forge.toolchain.rust import Rust


def _stable_abi_names(environment: CrossEnvironment, context: BuildContext) -> Path:
    """A directory with the library under further names, which modules for the stable ABI link.

    They are those of older Pythons, and from 3.15 on those of free-threaded ones: maturin builds for both (``abi3t``,
    PEP 803) where it can, and then names the latter's library.
    """
    directory = environment.root / "stable-abi"
    directory.mkdir(exist_ok=True)
    major, minor = map(int, context.python.minor.split("."))
    library = environment.host_view / "lib" / f"libpython{major}.{minor}.tbd"
    older = [f"{major}.{each}" for each in range(7, minor)]  # PyO3 supports none before 3.7
    threaded = [f"{major}.{each}t" for each in range(15, minor + 1)]
    for name in (*older, *threaded):
        with contextlib.suppress(FileExistsError):  # made by another build
            (directory / f"libpython{name}.tbd").symlink_to(library)
    return directory


def link_objcopy(rust: Rust, toolchain: Toolchain, directory: Path) -> None:
    """Give a compiler the program that it strips with, where it did not come with one.

    rustc strips what it links for Apple's systems with ``rust-objcopy``, which is LLVM's under another name. rustup's
    toolchains have it in a directory of their own; Debian's packages do not (rustc-web 1.96).

    Args:
        rust: The compiler.
        toolchain: Whose ``llvm-objcopy`` is used.
        directory: A directory on the build's PATH.
    """
    own = rust.sysroot / "lib" / "rustlib" / rust.host / "bin" / "rust-objcopy"
    link = directory / "rust-objcopy"
    if isinstance(toolchain, LLVMToolchain) and not own.is_file() and not link.is_symlink():
        link.symlink_to(toolchain.llvm.bin / "llvm-objcopy")


def rust_variables(
    rust: Rust, context: BuildContext, target: Target, environment: CrossEnvironment, names: Mapping[Path, str],
    progress: Progress,
) -> dict[str, str]:  # fmt: skip
    """The environment variables of a build with Rust; the standard library is installed or built if necessary.

    Args:
        rust: The compiler.
        context: The toolchain, the iOS Python and the cache.
        target: The target.
        environment: The cross environment.
        names: Directories of this machine, and the names that replace them in compiled files.
        progress: Receives progress updates.

    Raises:
        ToolchainError, BuildError: The standard library is not available.
    """
    home = context.home
    sysroot = ensure_std(home, rust, context.toolchain, target, environment.wrappers, progress)
    places = {**names, cargo_home(home): "/usr/src/cargo"}
    # A later option takes precedence (rustc --help: --remap-path-prefix), so the longer paths come last.
    flags = [
        f"--remap-path-prefix={place}={name}" for place, name in sorted(places.items(), key=lambda p: len(str(p[0])))
    ]
    # Some versions of PyO3 link extension modules against the framework themselves; twice does no harm.
    flags += [f"-Clink-arg=-F{environment.host_view}", "-Clink-arg=-framework", "-Clink-arg=Python"]
    # Other versions of PyO3, and modules for an older Python's stable ABI, look for the library here.
    flags += [
        f"-Clink-arg=-L{environment.host_view / 'lib'}",
        f"-Clink-arg=-L{_stable_abi_names(environment, context)}",
    ]
    # Room for the install name in an app.
    flags += ["-Clink-arg=-Wl,-headerpad_max_install_names"]
    data = context.python.sysconfigdata(target)
    minor = context.python.minor
    return rust_environment(rust, target, sysroot, home, flags) | {
        "PYO3_CROSS": "1",
        # Build scripts look for headers in ../../include/<its name>; the library is found by -L above.
        "PYO3_CROSS_LIB_DIR": str(environment.host_view / "lib" / f"python{minor}"),
        "PYO3_CROSS_PYTHON_VERSION": minor,
        "_PYTHON_SYSCONFIGDATA_NAME": data.stem,
    }
