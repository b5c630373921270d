"""What can be chosen about the output."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from forge.frameworks.identifiers import DEFAULT_BUNDLE_ID

if TYPE_CHECKING:
    from forge.base.target import Abi, Arch, IOSVersion


@dataclass(frozen=True)
class Options:
    """How to make trees of frameworks.

    Args:
        abis: The trees wanted; None for those that there are native wheels for.
        bundle_id: The app's identifier, which those of frameworks start with.
        ios_version: The app's minimum iOS version; None for each framework's own.
        xcframeworks: Whether to make XCframeworks too.
        prefer: Whose file to take where the simulators' wheels disagree on one that is not code; None for an error.
        provided: Names of frameworks that the app has besides, e.g. ``SDL3``.
        exclude: Files to leave out: shell patterns over installed paths, where ``*`` matches slashes too.
    """

    abis: tuple[Abi, ...] | None = None
    bundle_id: str = DEFAULT_BUNDLE_ID
    ios_version: IOSVersion | None = None
    xcframeworks: bool = False
    prefer: Arch | None = None
    exclude: tuple[str, ...] = ()
    provided: tuple[str, ...] = ()

    def excludes(self, path: str) -> bool:
        """Whether a file is to be left out.

        Args:
            path: Where it would be installed, below site-packages.
        """
        return any(fnmatchcase(path, pattern) for pattern in self.exclude)
