"""Getting what builds stand on: the toolchain of this machine, the iOS Python, the build Python."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from forge.crossbuild.context import BuildContext
from forge.ios_python.build_python import ensure_build_python
from forge.ios_python.choose import choose_python, minor_of
from forge.source.fetch import fetch
from forge.source.model import SdistSource
from forge.toolchain.data import load_yaml
from forge.toolchain.llvm import find_llvm
from forge.toolchain.sdk.assemble import assemble_toolchain, find_toolchain
from forge.toolchain.xcode import find_xcode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.ios_python.model import Provider
    from forge.toolchain.base import Toolchain


def ensure_toolchain(home: ForgeHome, progress: Progress) -> Toolchain:
    """Xcode on a Mac; elsewhere LLVM and an SDK, assembled if it is not there yet.

    Raises:
        ToolchainError: LLVM or Xcode is missing.
        SourceError, NetworkError: The Darwin headers cannot be had.
    """
    if sys.platform == "darwin":
        return find_xcode()
    llvm = find_llvm()
    if (found := find_toolchain(home, llvm)) is not None:
        return found
    pin: dict[str, Any] = load_yaml("sdk.yaml")["ziglang"]
    wheel = fetch(SdistSource(pin["name"], pin["version"], pin["sha256"], pin["filename"]), home, progress)
    progress.phase("SDK", "assemble")
    return assemble_toolchain(home, wheel)


def ensure_context(
    home: ForgeHome,
    version: str,
    targets: Iterable[Target],
    progress: Progress,
    provider: Provider | None = None,
) -> BuildContext:
    """Toolchain, iOS Python and build Python for building wheels.

    Args:
        home: The cache.
        version: Python's minor or full version.
        targets: What wheels are built for.
        progress: Receives progress updates.
        provider: Where the iOS Python is to come from; None takes the first that is there.

    Raises:
        ForgeError: Something is missing and cannot be had; see the functions that are called.
    """
    minor_of(version)  # said before anything is downloaded
    toolchain = ensure_toolchain(home, progress)
    python = choose_python(home, version, tuple(targets), provider, lambda: toolchain, progress)
    return BuildContext(home, toolchain, python, ensure_build_python(home, python.minor, progress))
