"""Where forge keeps things. Every path of the cache comes from here.

``FORGE_HOME`` overrides the platform's cache directory (platformdirs). Everything below it can be deleted at any
time: forge makes it again.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from forge.base.errors import StorageError

_PLAIN = re.compile(r"[A-Za-z0-9._+@%,/-]")


@dataclass(frozen=True)
class ForgeHome:
    """The cache's rooms.

    Args:
        root: The cache's directory; need not exist yet.
    """

    root: Path

    def __post_init__(self) -> None:
        # Configure scripts, make, Meson's files and clang's options split at, or give a meaning to, white space and
        # much of ASCII's punctuation; a path with any of it breaks builds in odd places.
        if found := sorted({c for c in str(self.root) if c.isspace() or (c.isascii() and not _PLAIN.match(c))}):
            raise StorageError(
                f"the path of the cache directory {str(self.root)!r} contains {', '.join(map(repr, found))}; "
                "configure scripts cannot handle that",
                hint="set FORGE_HOME to a directory without such characters",
            )

    @classmethod
    def from_environment(cls) -> ForgeHome:
        """``FORGE_HOME``, else the user's cache directory.

        Raises:
            StorageError: There is no such directory, or its path has white space or punctuation in it that build tools
                trip over.
        """
        named = os.environ.get("FORGE_HOME")
        try:
            root = Path(named) if named else platformdirs.user_cache_path("forge-ios")
            return cls(Path(os.path.abspath(root.expanduser())))  # noqa: PTH100 - keeps symbolic links, as given
        except RuntimeError as error:  # '~name' without such a user; a user without a home directory
            what = f"FORGE_HOME is {named!r}" if named else "it belongs in your home directory"
            raise StorageError(
                f"cannot determine the cache directory: {what}, which cannot be found ({error})",
                hint="set FORGE_HOME to the path of a directory",
            ) from error
        except FileNotFoundError as error:
            raise StorageError("the current directory no longer exists", hint="change to another directory") from error

    @property
    def rooms(self) -> tuple[Path, ...]:
        """Every directory below that a build may name in what it writes."""
        return (self.sources, self.toolchains, self.pythons, self.build_pythons, self.wheels, self.work)

    @property
    def sources(self) -> Path:
        """Downloaded archives by sha256."""
        return self.root / "sources"

    @property
    def toolchains(self) -> Path:
        """Assembled SDKs and the xcrun seam, by SDK id."""
        return self.root / "toolchains"

    @property
    def pythons(self) -> Path:
        """IOS Pythons by version and fingerprint, and their parts."""
        return self.root / "pythons"

    @property
    def build_pythons(self) -> Path:
        """Build Pythons that forge made, and the virtual environments made from build Pythons."""
        return self.root / "build-pythons"

    @property
    def wheels(self) -> Path:
        """Built wheels by fingerprint."""
        return self.root / "wheels"

    @property
    def work(self) -> Path:
        """Builds under way and failed builds."""
        return self.root / "builds"

    @property
    def logs(self) -> Path:
        """Whole logs of builds."""
        return self.root / "logs"

    @property
    def locks(self) -> Path:
        """Lock files of everything above."""
        return self.root / "locks"
