"""What builds stand on, and one build under way: what rooms and back ends pass on to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from forge.base.jobserver import JobServer
    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.crossbuild.cross_environment import CrossEnvironment
    from forge.crossbuild.host_prefix import HostPrefix
    from forge.ios_python.build_python import BuildPython
    from forge.ios_python.model import IOSPython
    from forge.recipe.model import EvaluatedRecipe
    from forge.toolchain.base import Toolchain


@dataclass(frozen=True)
class BuildContext:
    """What a build needs in addition to the recipe.

    Args:
        home: The cache.
        toolchain: The toolchain.
        python: The iOS Python to build against.
        build_python: The build Python, of the same minor version.
        keep_work: Keep the work directory of a successful build as well.
        jobs: Where builds that run at the same time take the right to run processes; None for a build by itself.
    """

    home: ForgeHome
    toolchain: Toolchain
    python: IOSPython
    build_python: BuildPython
    keep_work: bool = False
    jobs: JobServer | None = None

    def ready(self, progress: Progress) -> BuildContext:  # noqa: ARG002 - a plan's contexts are made ready by this
        """Itself: all of it is there."""
        return self


@dataclass(frozen=True)
class Support:
    """What a language or a job server adds to a build's environment.

    Args:
        env: Environment variables.
        path: Directories for PATH.
    """

    env: Mapping[str, str] = field(default_factory=dict)
    path: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Build:
    """One build under way: its directories are there, its compilers are not called yet.

    Args:
        context: Toolchain, Pythons and cache.
        recipe: Evaluated for the target.
        environment: The cross environment, with the build requirements installed.
        host: The host requirements' files.
        work: The build's own directory.
        tree: The patched source, in *work*.
        log: The log file.
        subject: The build's name in messages.
    """

    context: BuildContext
    recipe: EvaluatedRecipe
    environment: CrossEnvironment
    host: HostPrefix
    work: Path
    tree: Path
    log: Path
    subject: str

    @property
    def target(self) -> Target:
        """What the wheel is for."""
        return self.recipe.target
