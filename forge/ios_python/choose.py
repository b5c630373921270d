"""Which iOS Python wheels are built against: what was added counts first, then what was built, then assembled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from forge.base.errors import IOSPythonError
from forge.base.target import DEFAULT_IOS_VERSION, Target
from forge.ios_python.assembled import assembled_python, describe_assembled, describe_product, python_of
from forge.ios_python.built import built_pythons, ensure_built
from forge.ios_python.interface import read_interface
from forge.ios_python.model import Provider
from forge.ios_python.official import official_pythons
from forge.ios_python.releases import find_release

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.ios_python.model import IOSPython
    from forge.ios_python.product import XCFramework
    from forge.toolchain.base import Toolchain


def minor_of(version: str) -> str:
    """The minor version of a minor or full one that forge builds wheels for.

    Raises:
        IOSPythonError: It builds none for it.
    """
    minor = ".".join(version.split(".")[:2])
    read_interface(minor)
    return minor


def describe_python(home: ForgeHome, version: str, targets: Sequence[Target], provider: Provider | None) -> IOSPython:
    """The iOS Python that `choose_python` gives, known before it is there: nothing is fetched, built or laid out.

    Args:
        home: The cache.
        version: A minor version (``3.13``), or a full one (``3.13.5``) of a Python that was added or built.
        targets: What it is wanted for.
        provider: Where it is to come from; None takes the first that is there: official, built, assembled.

    Raises:
        IOSPythonError: There is none such.
    """
    minor = minor_of(version)
    found = _find_product(home, version, targets, provider)
    if found is not None:
        return describe_product(home, *found)
    if provider is Provider.BUILT:
        release = find_release(version)
        return replace(describe_assembled(home, minor), version=release.version, provider=provider)
    _check_assembled(version, targets, provider)
    return describe_assembled(home, minor)


def choose_python(
    home: ForgeHome,
    version: str,
    targets: Sequence[Target],
    provider: Provider | None,
    toolchain: Callable[[], Toolchain],
    progress: Progress,
) -> IOSPython:
    """The iOS Python to build wheels against.

    Args:
        home: The cache.
        version: A minor version (``3.13``), or a full one (``3.13.5``) of a Python that was added or built.
        targets: What it is wanted for.
        provider: Where it is to come from; None takes the first that is there: official, built, assembled.
        toolchain: Gives what compiles one, if *provider* is `Provider.BUILT` and it is not there yet.
        progress: Receives progress updates.

    Raises:
        IOSPythonError: There is none such.
        ForgeError: It cannot be had or built; see the functions that are called.
    """
    minor = minor_of(version)
    if provider is Provider.BUILT:
        # A Python for iOS 12 runs on every later iOS, so one is enough.
        wanted = [Target(t.abi, t.arch, min(t.ios_version, DEFAULT_IOS_VERSION)) for t in targets]
        product = ensure_built(home, find_release(version), wanted, toolchain(), progress)
        return python_of(home, product, Provider.BUILT)
    found = _find_product(home, version, targets, provider)
    if found is not None:
        return python_of(home, *found)
    _check_assembled(version, targets, provider)
    return assembled_python(home, minor, progress)


def _find_product(
    home: ForgeHome, version: str, targets: Sequence[Target], provider: Provider | None
) -> tuple[XCFramework, Provider] | None:
    """A Python for apps that was added or built, and which of both.

    Raises:
        IOSPythonError: One of that version is damaged: to pass over it would build against another without a word.
    """
    there = {Provider.OFFICIAL: official_pythons, Provider.BUILT: built_pythons}
    for each, pythons in there.items():
        if provider in (None, each):
            for kept in pythons(home):
                if version in (kept.version, kept.minor) and _covers(kept.product, targets):
                    return kept.product, each
    return None


def _check_assembled(version: str, targets: Sequence[Target], provider: Provider | None) -> None:
    """Refuse an assembled Python where another was asked for.

    Raises:
        IOSPythonError: It was.
    """
    minor = minor_of(version)
    if provider is Provider.OFFICIAL:
        raise IOSPythonError(
            f"no official iOS Python {version} was added for {', '.join(t.multiarch for t in targets)}",
            hint=f"run 'forge python add {minor}', or leave --python-from out",
        )
    if version != minor:
        raise IOSPythonError(
            f"iOS Python {version} was neither added nor built",
            hint=f"use --python {minor}: wheels do not depend on the patch release",
        )


def _covers(product: XCFramework, targets: Sequence[Target]) -> bool:
    return {t.multiarch for t in targets} <= {t.multiarch for t in product.targets}
