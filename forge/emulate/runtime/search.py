"""Where the file of an install name is: dyld(1)'s ``@rpath``, ``@loader_path`` and ``@executable_path``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

SYSTEM_PREFIXES = ("/usr/lib/", "/System/")
"""Install names that are the system's; on a device no file is behind them either (they are in the shared cache)."""


@dataclass(frozen=True)
class RunPaths:
    """Where ``@rpath`` leads: the directories of an image and of those that brought it in, nearest first.

    Args:
        loader: The directory of the image that asks.
        executable: The directory of the app's executable.
        directories: What its ``LC_RPATH``s and those up the chain come to.
    """

    loader: Path
    executable: Path
    directories: tuple[Path, ...] = ()

    def inside(self, path: str, rpaths: tuple[str, ...]) -> RunPaths:
        """The same from the point of view of an image that is brought in.

        Args:
            path: The image's real path.
            rpaths: Its ``LC_RPATH``s as written.
        """
        here = RunPaths(Path(path).parent, self.executable)
        own = tuple(found for rpath in rpaths if (found := here.expand(rpath)) is not None)
        return RunPaths(here.loader, self.executable, own + self.directories)

    def expand(self, name: str) -> Path | None:
        """A path without ``@loader_path`` and ``@executable_path``; None for ``@rpath`` and for relative ones."""
        for prefix, directory in (("@loader_path", self.loader), ("@executable_path", self.executable)):
            if name == prefix or name.startswith(prefix + "/"):
                return directory / name[len(prefix) + 1 :]
        return Path(name) if name.startswith("/") else None

    def candidates(self, install_name: str) -> tuple[Path, ...]:
        """The paths that an install name may mean, in dyld's order."""
        if install_name.startswith("@rpath/"):
            return tuple(directory / install_name[len("@rpath/") :] for directory in self.directories)
        found = self.expand(install_name)
        # Any other relative name counts from the working directory, as under dyld.
        return (found or Path(install_name),)

    def find(self, install_name: str) -> tuple[str | None, tuple[str, ...]]:
        """The real path of the file that an install name means, or None; and what was tried."""
        tried = tuple(str(candidate) for candidate in self.candidates(install_name))
        return next((os.path.realpath(path) for path in tried if Path(path).is_file()), None), tried
