"""The host prefix: what host requirements bring, laid out for a build to read and link.

A native library's wheel holds an ``opt/`` tree (headers, static archives, pkg-config files); a package's wheel is laid
out as in site-packages. pkg-config finds both: libraries in ``opt/lib/pkgconfig``, and packages such as numpy that
carry a pkg-config file beside their headers.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.base.errors import BuildError
from forge.recipe.values import HOST_PREFIX
from forge.wheel.pack import unpack_wheel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

NATIVE_TREE = "opt"
"""The directory of a wheel that a native library's files are in."""


@dataclass(frozen=True)
class HostPackage:
    """A host requirement, built.

    Args:
        name: Its recipe's, normalised.
        version: Its version.
        wheel: The file.
        fingerprint: What it was built from.
    """

    name: str
    version: str
    wheel: Path
    fingerprint: str


@dataclass(frozen=True)
class HostPrefix:
    """The prefix on disk.

    Args:
        root: The directory; ``opt/`` and ``site-packages/`` are in it.
        pkg_config: Directories with pkg-config files, sorted.
    """

    root: Path
    pkg_config: tuple[Path, ...]

    @property
    def opt(self) -> Path:
        """Headers, archives and pkg-config files of native libraries."""
        return self.root / NATIVE_TREE

    @property
    def site_packages(self) -> Path:
        """Packages, as they are installed for the target; their compiled code does not run here."""
        return self.root / "site-packages"

    def expand(self, text: str) -> str:
        """A recipe's string with the prefix's real place in it (``${host_prefix}``)."""
        return text.replace(HOST_PREFIX, str(self.root))

    def expand_all(self, settings: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
        """A recipe's config settings with the prefix's real place in them."""
        return {key: tuple(map(self.expand, values)) for key, values in settings.items()}


def make_host_prefix(packages: Iterable[HostPackage], root: Path) -> HostPrefix:
    """Lay out a host prefix.

    Args:
        packages: Everything that the build needs, and what that needs in turn.
        root: A directory to make.

    Raises:
        WheelError: A wheel cannot be read.
        BuildError: Two packages bring the same file with different content.
    """
    prefix = root / NATIVE_TREE
    site_packages = root / "site-packages"
    for directory in (prefix, site_packages):
        directory.mkdir(parents=True)
    owners: dict[Path, str] = {}
    for package in packages:
        unpacked = root / "unpacked"
        unpack_wheel(package.wheel, unpacked)
        for file in sorted(path for path in unpacked.rglob("*") if path.is_file()):
            relative = file.relative_to(unpacked)
            native = relative.parts[0] == NATIVE_TREE
            target = root / relative if native else site_packages / relative
            if target.exists() and target.read_bytes() != file.read_bytes():
                raise BuildError(
                    f"{package.name} and {owners[target]}, which are host requirements, both have {relative}",
                    hint="leave it out of one of the recipes",
                )
            owners[target] = package.name
            target.parent.mkdir(parents=True, exist_ok=True)
            file.rename(target)
        shutil.rmtree(unpacked)
    return HostPrefix(root, tuple(sorted({path.parent for path in root.rglob("*.pc")})))
