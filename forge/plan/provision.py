"""Getting what builds stand on: the toolchain of this machine, the iOS Python, the build Python."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from forge.base.target import DEFAULT_IOS_VERSION, Target
from forge.build.recipe_build import Setting
from forge.ios_python.build import ensure_ios_python
from forge.ios_python.build_python import ensure_build_python
from forge.ios_python.releases import find_release
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


def ensure_setting(home: ForgeHome, version: str, targets: Iterable[Target], progress: Progress) -> Setting:
    """Toolchain, iOS Python and build Python for building wheels.

    The iOS Python is built for the default minimum iOS version, or for the targets' where that is lower: wheels with a
    higher one are built against it too, since a Python of iOS 12 runs on every later iOS.

    Args:
        home: The cache.
        version: Python's minor or full version.
        targets: What wheels are built for.
        progress: Receives progress updates.

    Raises:
        ForgeError: Something is missing and cannot be had; see the functions that are called.
    """
    release = find_release(version)
    toolchain = ensure_toolchain(home, progress)
    wanted = [Target(t.abi, t.arch, min(t.ios_version, DEFAULT_IOS_VERSION)) for t in targets]
    python = ensure_ios_python(home, release, wanted, toolchain, progress)
    return Setting(home, toolchain, python, ensure_build_python(home, release, progress))
