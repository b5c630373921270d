"""The host prefix: the files of host requirements, laid out for a build to read and link.

A native library's wheel has an ``opt/`` tree (headers, static archives, pkg-config files); a package's wheel is
installed as an installer does. pkg-config finds both: libraries in ``opt/lib/pkgconfig``, and packages such as numpy
that have a pkg-config file next to their headers.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.errors import BuildError
from forge.recipe.values import HOST_PREFIX
from forge.wheel.native import NATIVE_TREE
from forge.wheel.pack import unpack_wheel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SITE_PACKAGES = "site-packages"
"""The directory of a host prefix that packages are in."""


@dataclass(frozen=True)
class HostPackage:
    """A built host requirement.

    Args:
        name: The recipe's name, normalised.
        version: The version.
        wheel: The file.
        fingerprint: The fingerprint of the build.
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
        """Packages as they are installed for the target; their compiled code does not run on the build machine."""
        return self.root / SITE_PACKAGES

    def expand(self, text: str) -> str:
        """A recipe's string with the prefix's real path for ``${host_prefix}``."""
        return text.replace(HOST_PREFIX, str(self.root))

    def expand_all(self, settings: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
        """A recipe's config settings with the prefix's real path in them."""
        return {key: tuple(map(self.expand, values)) for key, values in settings.items()}


def installed_place(member: Path, name: str) -> Path:
    """The path of a wheel's file in a host prefix, relative to the prefix.

    The layout is that of an installed wheel (binary distribution format, "Installing a wheel") with the prefix as its
    root: headers are in ``include/<name>``.

    Args:
        member: The file's path in the wheel.
        name: The package's normalised name.
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
        packages: The host requirements, including indirect ones.
        root: The directory, which is created.

    Raises:
        WheelError: A wheel cannot be read.
        BuildError: Two packages install the same file with different content.
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
    return read_host_prefix(root)


def read_host_prefix(root: Path) -> HostPrefix:
    """A host prefix that has been laid out.

    Args:
        root: The directory.
    """
    return HostPrefix(root, tuple(sorted({path.parent for path in root.rglob("*.pc")})))
