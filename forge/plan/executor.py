"""Where a wheel is built, if not on this machine: the one seam between a run of builds and other machines.

Everything else of a run is the same: which builds there are and when they start, caches, failures, what is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from forge.base.errors import ForgeError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from forge.base.progress import Progress
    from forge.crossbuild.host_prefix import HostPackage
    from forge.plan.provision import Context
    from forge.plan.shared.cache import Wanted
    from forge.recipe.model import EvaluatedRecipe


class ClusterError(ForgeError):
    """The machines of a cluster cannot be reached, were lost, or are not like this one.

    It is here and not in `forge.base.errors` so that it is not part of a build's fingerprint, as the cluster is not.
    """

    exit_code = 14
    title = "cluster"


@dataclass(frozen=True)
class Order:
    """A build that is to run elsewhere.

    Args:
        wanted: What it is called, and its fingerprint.
        recipe: The recipe, evaluated for the target.
        context: Toolchain and Pythons, as this machine knows them.
        host: The built host requirements, including indirect ones, in this machine's cache.
        inputs: What the fingerprint covers.
    """

    wanted: Wanted
    recipe: EvaluatedRecipe
    context: Context
    host: tuple[HostPackage, ...]
    inputs: Mapping[str, object]


@dataclass(frozen=True)
class Report:
    """What became of a build that ran elsewhere, and did not fail.

    Args:
        worker: Where it ran.
        built: Whether it was built just now; otherwise it was there already.
        notes: What was said there.
    """

    worker: str
    built: bool
    notes: tuple[str, ...] = ()

    def not_there(self, wanted: Wanted) -> ClusterError:
        """The error for a wheel that cannot be taken from the shared cache after all."""
        said = "".join(f"\n  {note}" for note in self.notes)
        return ClusterError(
            f"{wanted.subject} was built on {self.worker}, but cannot be taken from the shared cache{said}",
            hint="see that FORGE_CACHE names the same place here and there, and that the worker's key is trusted here",
        )


class Executor(Protocol):
    """Builds wheels on other machines, several at the same time; what it builds is in the shared cache then."""

    jobs: int
    """How many wheels it builds at the same time, at the most."""

    threads: int
    """How many it builds now: machines come and go."""

    def slot(self) -> AbstractContextManager[None]:
        """Hold one of those for the body."""

    def build(self, order: Order, progress: Progress) -> Report:
        """Build a wheel, and wait for it.

        Args:
            order: The build.
            progress: Receives progress updates.

        Raises:
            ForgeError: As the build there raised it; its log is on this machine now.
            ClusterError: The machines cannot build it, whatever the recipe says.
            Interrupted: `stop` was called.
        """

    def stop(self) -> None:
        """The run was interrupted: give up what is under way, so that every `build` ends soon."""
