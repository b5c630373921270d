"""The Pythons for apps that the cache keeps, sound or damaged, each in a directory called ``<version>-<key>``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from forge.base.errors import IOSPythonError
from forge.ios_python.product import XCFramework, read_xcframework

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True)
class KeptPython:
    """A Python for apps in the cache.

    Args:
        directory: Its directory; deleting it removes the Python.
        version: The full version, by the directory's name.
        found: What is there, or why that cannot be read.
    """

    directory: Path
    version: str
    found: XCFramework | IOSPythonError

    @property
    def minor(self) -> str:
        """The minor version, e.g. ``3.13``."""
        return ".".join(self.version.split(".")[:2])

    @property
    def product(self) -> XCFramework:
        """What is there.

        Raises:
            IOSPythonError: It is damaged.
        """
        if isinstance(self.found, IOSPythonError):
            raise self.found
        return self.found


def read_kept(directories: Iterable[Path]) -> tuple[KeptPython, ...]:
    """Look at the Pythons for apps in the cache, newest version first.

    Args:
        directories: Theirs.
    """
    found = [
        KeptPython(directory, version, _read(directory))
        for directory in sorted(directories)
        if _number(version := directory.name.rpartition("-")[0]) is not None
    ]
    return tuple(sorted(found, key=lambda python: _number(python.version) or Version("0"), reverse=True))


def _read(directory: Path) -> XCFramework | IOSPythonError:
    try:
        return read_xcframework(directory / "Python.xcframework")
    except IOSPythonError as error:
        return IOSPythonError(error.message, hint=f"delete {directory}, and add or build that Python again")


def _number(version: str) -> Version | None:
    try:
        return Version(version.rstrip("+"))  # patchlevel.h's mark of a build between two releases
    except InvalidVersion:
        return None
