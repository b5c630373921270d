"""The host prefix: what host requirements bring, laid out for a build to read and link.

A native library's wheel holds an ``opt/`` tree (headers, static archives, pkg-config files); a package's wheel is laid
out as an installer does it. pkg-config finds both: libraries in ``opt/lib/pkgconfig``, and packages such as numpy that
carry a pkg-config file beside their headers.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.errors import BuildError
from forge.recipe.values import HOST_PREFIX
from forge.wheel.pack import unpack_wheel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

NATIVE_TREE = "opt"
"""The directory of a wheel that a native library's files are in."""

SITE_PACKAGES = "site-packages"
"""The directory of a host prefix that packages are in."""


@dataclass(frozen=True)
class HostPackage:
    """A host requirement, built.

    Args:
        name: Its recipe's, normalised.
        version: Its version.
        wheel: The file.
        fingerprint: What it was built from.
        is_native_library: Whether it is a native library rather than a Python package.
        license: The recipe's SPDX expression, or an empty string.
    """

    name: str
    version: str
    wheel: Path
    fingerprint: str
    is_native_library: bool = False
    license: str = ""


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
        return self.root / SITE_PACKAGES

    def expand(self, text: str) -> str:
        """A recipe's string with the prefix's real place in it (``${host_prefix}``)."""
        return text.replace(HOST_PREFIX, str(self.root))

    def expand_all(self, settings: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
        """A recipe's config settings with the prefix's real place in them."""
        return {key: tuple(map(self.expand, values)) for key, values in settings.items()}


def installed_place(member: Path, name: str) -> Path:
    """Where a file of a wheel is in a host prefix, relative to it.

    As an installer spreads a wheel (binary distribution format, "Installing a wheel"), with the prefix for a root:
    ``include/<name>`` has its headers.

    Args:
        member: The file's path in the wheel.
        name: The package, normalised.
    """
    first, *rest = member.parts
    if first == NATIVE_TREE:
        return member
    if not first.endswith(".data") or len(rest) < 2:
        return Path(SITE_PACKAGES, member)
    scheme, *inside = rest
    places = {"headers": ("include", name), "scripts": ("bin",), "data": ()}
    return Path(*places.get(scheme, (SITE_PACKAGES,)), *inside)


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
    site_packages = root / SITE_PACKAGES
    for directory in (prefix, site_packages):
        directory.mkdir(parents=True)
    owners: dict[Path, str] = {}
    for package in packages:
        unpacked = root / "unpacked"
        unpack_wheel(package.wheel, unpacked)
        for file in sorted(path for path in unpacked.rglob("*") if path.is_file()):
            relative = file.relative_to(unpacked)
            target = root / installed_place(relative, package.name)
            if target.exists() and target.read_bytes() != file.read_bytes():
                raise BuildError(
                    f"the host requirements {owners[target]} and {package.name} both install {relative}",
                    hint="exclude the file in one of the two recipes",
                )
            owners[target] = package.name
            target.parent.mkdir(parents=True, exist_ok=True)
            file.rename(target)
        shutil.rmtree(unpacked)
    return HostPrefix(root, tuple(sorted({path.parent for path in root.rglob("*.pc")})))
