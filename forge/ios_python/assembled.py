"""iOS Pythons as wheel builds read them: laid out from headers and forge's data. No compiler runs, nothing is linked.

pythons/trees/<minor>-<fingerprint>/     see `forge.ios_python.model`; headers.json says which release it is of
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.atomic import atomic_directory, locked
from forge.base.hashing import file_sha256, fingerprint
from forge.ios_python import interface as interface_module
from forge.ios_python import tree as tree_module
from forge.ios_python.headers import Headers, ensure_headers
from forge.ios_python.interface import TARGETS, read_interface
from forge.ios_python.model import IOSPython, Provider
from forge.ios_python.tree import write_tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.ios_python.interface import Interface
    from forge.ios_python.product import XCFramework


HEADERS = "headers.json"
"""In a tree: which release its headers are of."""


def describe_assembled(home: ForgeHome, minor: str) -> IOSPython:
    """The assembled Python of a minor version, whose tree need not be there yet; nothing is fetched.

    Its `version` is that of forge's data until its headers are there.

    Args:
        home: The cache.
        minor: The minor version, e.g. ``3.14``.

    Raises:
        IOSPythonError: forge has no data for this version.
    """
    interface = read_interface(minor)
    root = _root(home, interface, str(Provider.ASSEMBLED))
    return IOSPython(
        root=root,
        version=_release(root) or interface.release,
        nominal_version=interface.release,
        targets=TARGETS,
        provider=Provider.ASSEMBLED,
        fingerprints=_fingerprints(interface),
    )


def assembled_python(home: ForgeHome, minor: str, progress: Progress) -> IOSPython:
    """The assembled Python of a minor version: taken from the cache, or laid out.

    Args:
        home: The cache.
        minor: The minor version, e.g. ``3.14``.
        progress: Receives progress updates.

    Raises:
        IOSPythonError: forge has no data for this version.
        NetworkError: No archive with its headers can be had.
    """
    described = describe_assembled(home, minor)
    _ensure_tree(home, described.root, minor, lambda: ensure_headers(home, minor, progress))
    return describe_assembled(home, minor)


def describe_product(home: ForgeHome, product: XCFramework, provider: Provider) -> IOSPython:
    """A Python for apps as wheel builds read it, whose tree need not be there yet.

    Args:
        home: The cache.
        product: The Python for apps.
        provider: Where it comes from.

    Raises:
        IOSPythonError: forge has no data for its version.
    """
    interface = read_interface(product.minor)
    return IOSPython(
        root=_root(home, interface, str(product.root)),
        version=product.version,
        nominal_version=interface.release,
        targets=product.targets,
        provider=provider,
        fingerprints=tuple((m, v) for m, v in _fingerprints(interface) if m in {t.multiarch for t in product.targets}),
        product=product,
    )


def python_of(home: ForgeHome, product: XCFramework, provider: Provider) -> IOSPython:
    """A Python for apps as wheel builds read it: its headers with forge's data.

    Args:
        home: The cache.
        product: The Python for apps.
        provider: Where it comes from.

    Raises:
        IOSPythonError: forge has no data for its version, or its headers are not as expected.
    """
    described = describe_product(home, product, provider)
    headers = Headers(product.headers(product.targets[0]), product.version, "")
    _ensure_tree(home, described.root, product.minor, lambda: headers)
    return described


def is_laid_out(python: IOSPython) -> bool:
    """Whether the tree that builds read is there."""
    return (python.root / HEADERS).is_file()


def _fingerprints(interface: Interface) -> tuple[tuple[str, str], ...]:
    return tuple((target.multiarch, interface.identity(target)) for target in TARGETS)


def _root(home: ForgeHome, interface: Interface, origin: str) -> Path:
    """Where a tree is. Which release its headers are of changes no wheel, so that is not in its name.

    Args:
        home: The cache.
        interface: The minor version's data.
        origin: Tells the trees of one minor version apart: a Python for apps' own place.
    """
    key = fingerprint(
        {
            "interface": [interface.identity(target) for target in TARGETS],
            "origin": origin,
            "code": [file_sha256(Path(module.__file__ or "")) for module in (tree_module, interface_module)],
        }
    )
    return home.pythons / "trees" / f"{interface.minor}-{key[:16]}"


def _release(root: Path) -> str:
    try:
        return str(json.loads((root / HEADERS).read_text(encoding="utf-8"))["release"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _ensure_tree(home: ForgeHome, root: Path, minor: str, headers: Callable[[], Headers]) -> None:
    if (root / HEADERS).is_file():
        return
    with locked(home.locks, f"tree-{root.name}"):
        if (root / HEADERS).is_file():
            return
        found = headers()
        with atomic_directory(root) as temporary:
            write_tree(read_interface(minor), found.directory, temporary)
            said = {"release": found.release, "sha256": found.identity}
            (temporary / HEADERS).write_text(json.dumps(said) + "\n", encoding="utf-8")
