"""What a recipe's languages add to a build: environment variables, and programs on PATH."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.crossbuild.context import Support
from forge.crossbuild.fortran import fortran_runtime, fortran_variables
from forge.crossbuild.rust import link_objcopy, rust_variables
from forge.toolchain.rust import link_programs, write_rustc_wrapper

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from forge.base.progress import Progress
    from forge.crossbuild.compilers import Compilers
    from forge.crossbuild.context import Build


def support_languages(compilers: Compilers, build: Build, names: Mapping[Path, str], progress: Progress) -> Support:
    """Runtimes and standard libraries of a build's languages, made or installed if they are not there yet.

    Args:
        compilers: The compilers of the recipe's languages.
        build: The build.
        names: Directories of this machine, and the names that replace them in compiled files.
        progress: Receives progress updates.

    Raises:
        ToolchainError, BuildError: A runtime or a standard library cannot be had.
        SourceError, NetworkError: A runtime's source is not available.
    """
    env: dict[str, str] = {}
    path: tuple[Path, ...] = ()
    if compilers.rust is not None:
        env |= rust_variables(compilers.rust, build.context, build.target, build.environment, names, progress)
        programs = link_programs(compilers.rust, build.work / "rust")
        link_objcopy(compilers.rust, build.context.toolchain, programs)
        env["RUSTC_WRAPPER"] = str(write_rustc_wrapper(programs))
        path = (programs,)
    if compilers.fortran is not None:
        runtime = fortran_runtime(compilers.fortran, build.context, build.target, progress)
        env |= fortran_variables(runtime, build.target)
        path = (*path, runtime.bin)
    return Support(env, path)
