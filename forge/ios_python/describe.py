"""Every iOS Python that there is, described for people: who provides it, what is in it, what is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.base.errors import IOSPythonError
from forge.ios_python.built import built_pythons
from forge.ios_python.headers import header_archives
from forge.ios_python.interface import TARGETS, known_minors, read_interface
from forge.ios_python.layout import Layout, recognise
from forge.ios_python.model import NOT_ON_IOS, Provider
from forge.ios_python.official import official_pythons, read_layout

if TYPE_CHECKING:
    from pathlib import Path

    from forge.base.paths import ForgeHome
    from forge.base.target import Target
    from forge.ios_python.kept import KeptPython
    from forge.ios_python.product import XCFramework


@dataclass(frozen=True)
class Described:
    """An iOS Python, for people.

    Args:
        version: The full version; of an assembled one the release that its data was made from.
        provider: Where it comes from; None for an XCframework outside of the cache.
        origin: Who made it, in a few words.
        path: Its XCframework; None for an assembled one.
        targets: What it is there for, each with its minimum iOS version.
        libraries: What it says it has inside.
        modules: For each target the extension modules that it has, and those that Python has elsewhere and it has not.
        lacking: What one for iOS usually has.
        damage: Why it cannot be read, if so; then only its directory and version are known.
    """

    version: str
    provider: Provider | None
    origin: str
    path: Path | None
    targets: tuple[Target, ...]
    libraries: tuple[tuple[str, str], ...] = ()
    modules: tuple[tuple[Target, tuple[str, ...], tuple[str, ...]], ...] = ()
    lacking: tuple[str, ...] = ()
    damage: IOSPythonError | None = None

    @classmethod
    def of_product(
        cls, product: XCFramework, provider: Provider | None, origin: str, layout: Layout | None = None
    ) -> Described:
        """Describe a Python for apps."""
        layout = layout or recognise(product.root)
        modules: list[tuple[Target, tuple[str, ...], tuple[str, ...]]] = []
        for target in product.targets:
            present = product.extension_modules(target)
            modules.append((target, present, tuple(name for name in NOT_ON_IOS if name not in present)))
        return cls(
            version=product.version,
            provider=provider,
            origin=origin,
            path=product.root,
            targets=product.targets,
            libraries=layout.libraries,
            modules=tuple(modules),
            lacking=layout.lacks(product),
        )

    @property
    def minor(self) -> str:
        """The minor version."""
        return ".".join(self.version.split(".")[:2])

    def as_data(self) -> dict[str, object]:
        """What JSON says of it."""
        modules = {target.multiarch: (present, absent) for target, present, absent in self.modules}
        return {
            "version": self.version,
            "provider": None if self.provider is None else str(self.provider),
            "origin": self.origin,
            "path": None if self.path is None else str(self.path),
            "libraries": dict(self.libraries),
            "missing": list(self.lacking),
            "damage": None if self.damage is None else self.damage.message,
            "targets": [
                {
                    "multiarch": target.multiarch,
                    "ios_version": str(target.ios_version),
                    "extension_modules": list(modules[target.multiarch][0]) if modules else None,
                    "absent_modules": list(modules[target.multiarch][1]) if modules else None,
                }
                for target in self.targets
            ],
        }


def describe(home: ForgeHome) -> tuple[Described, ...]:
    """Every iOS Python in the order in which they count: added, built, assembled; newest first."""
    found = [*map(_official, official_pythons(home)), *map(_built, built_pythons(home))]
    for minor in reversed(known_minors()):
        releases = dict.fromkeys(archive.release for archive in header_archives(minor))
        origin = f"headers of {' or '.join(releases)}"
        found.append(Described(read_interface(minor).release, Provider.ASSEMBLED, origin, None, TARGETS))
    return tuple(found)


def _official(kept: KeptPython) -> Described:
    try:
        layout = read_layout(kept.product)
    except IOSPythonError as error:
        return _damaged(kept, Provider.OFFICIAL, error)
    return Described.of_product(kept.product, Provider.OFFICIAL, layout.publisher, layout)


def _built(kept: KeptPython) -> Described:
    if isinstance(kept.found, IOSPythonError):
        return _damaged(kept, Provider.BUILT, kept.found)
    return Described.of_product(kept.found, Provider.BUILT, "forge")


def _damaged(kept: KeptPython, provider: Provider, error: IOSPythonError) -> Described:
    return Described(kept.version, provider, "damaged", kept.directory, (), damage=error)


def find_described(home: ForgeHome, version: str, provider: Provider | None) -> Described:
    """The first iOS Python of a version and provider.

    Args:
        home: The cache.
        version: A full or minor version; empty for any.
        provider: Where it is to come from; None for any.

    Raises:
        IOSPythonError: There is none, or it is damaged.
    """
    for each in describe(home):
        if version in ("", each.version, each.minor) and provider in (None, each.provider):
            if each.damage is not None:
                raise each.damage
            return each
    wanted = " ".join(part for part in (str(provider or ""), "iOS Python", version) if part)
    raise IOSPythonError(f"no {wanted} found", hint="run 'forge python list' for what there is")
