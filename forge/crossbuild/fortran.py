"""Builds with Fortran code: the compiler command for the target, and the variables that build systems read."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from forge.base.errors import ToolchainError
from forge.source.fetch import fetch
from forge.source.model import UrlSource
from forge.toolchain.fortran import ensure_runtime

if TYPE_CHECKING:
    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.crossbuild.context import BuildContext
    from forge.toolchain.fortran import Flang, FortranRuntime

RUNTIME_SOURCES = {
    "19.1": UrlSource(
        ("debian:pool/main/l/llvm-toolchain-19/llvm-toolchain-19_19.1.7.orig.tar.xz",),
        "ae498f3bc58ae2d9f64ef5f0c035c4240152bf015a5b7738b15c22e93bdc97ce",
    ),
}
"""LLVM's source by major and minor release, which the runtime library is compiled from.

It must be the compiler's own release; patch releases of LLVM keep the binary interface (its Developer Policy).
"""


def fortran_runtime(flang: Flang, context: BuildContext, target: Target, progress: Progress) -> FortranRuntime:
    """The runtime library and the compiler command for a target, created if necessary.

    Args:
        flang: The compiler.
        context: The toolchain and the cache.
        target: The target.
        progress: Receives progress updates.

    Raises:
        ToolchainError: The source of the compiler's release is not pinned.
        SourceError, NetworkError: The source is not available.
        BuildError: It does not compile.
    """
    fetched = functools.partial(fetch, runtime_source(flang), context.home, progress)
    wrappers = context.python.wrappers(target)
    return ensure_runtime(context.home, flang, fetched, context.toolchain, target, wrappers, progress)


def runtime_source(flang: Flang) -> UrlSource:
    """The source that a compiler's runtime library is built from.

    Raises:
        ToolchainError: It is not pinned.
    """
    source = RUNTIME_SOURCES.get(flang.version.rpartition(".")[0])
    if source is None:
        raise ToolchainError(
            f"{flang.program} is from LLVM {flang.version}, but forge can only build the runtime library for LLVM "
            f"{', '.join(RUNTIME_SOURCES)}",
            hint="install flang-19 and set FORGE_FLANG to its path",
        )
    return source


def fortran_variables(runtime: FortranRuntime, target: Target) -> dict[str, str]:
    """The environment variables that configure scripts and makefiles read (autoconf's names).

    Args:
        runtime: The runtime library.
        target: The target.
    """
    compiler = f"{target.host_triple}-flang"
    return {"FC": compiler, "F77": compiler, "F90": compiler, "FLIBS": f"{runtime.lib}/libFortranRuntime.a"}
