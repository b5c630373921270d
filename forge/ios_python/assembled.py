"""iOS Pythons as wheel builds read them: laid out from headers and forge's data. No compiler runs, nothing is linked.

pythons/trees/<minor>-<fingerprint>/     see `forge.ios_python.model`
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.atomic import atomic_directory, locked
from forge.base.hashing import file_sha256, fingerprint, tree_sha256
from forge.ios_python import interface as interface_module
from forge.ios_python import tree as tree_module
from forge.ios_python.headers import Headers, ensure_headers
from forge.ios_python.interface import TARGETS, read_interface
from forge.ios_python.model import IOSPython, Provider
from forge.ios_python.tree import write_tree

if TYPE_CHECKING:
    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.ios_python.interface import Interface
    from forge.ios_python.product import XCFramework


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
    interface = read_interface(minor)
    headers = ensure_headers(home, minor, progress)
    return IOSPython(
        root=_ensure_tree(home, interface, headers),
        version=headers.release,
        nominal_version=interface.release,
        targets=TARGETS,
        provider=Provider.ASSEMBLED,
        fingerprints=_fingerprints(interface),
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
    interface = read_interface(product.minor)
    directory = product.headers(product.targets[0])
    headers = Headers(directory, product.version, tree_sha256(directory))
    return IOSPython(
        root=_ensure_tree(home, interface, headers),
        version=product.version,
        nominal_version=interface.release,
        targets=product.targets,
        provider=provider,
        fingerprints=tuple((m, v) for m, v in _fingerprints(interface) if m in {t.multiarch for t in product.targets}),
        product=product,
    )


def _fingerprints(interface: Interface) -> tuple[tuple[str, str], ...]:
    return tuple((target.multiarch, interface.identity(target)) for target in TARGETS)


def _ensure_tree(home: ForgeHome, interface: Interface, headers: Headers) -> Path:
    key = fingerprint(
        {
            "interface": [interface.identity(target) for target in TARGETS],
            "headers": headers.identity,
            "code": [file_sha256(Path(module.__file__ or "")) for module in (tree_module, interface_module)],
        }
    )
    root = home.pythons / "trees" / f"{interface.minor}-{key[:16]}"
    with locked(home.locks, f"tree-{root.name}"):
        if not root.is_dir():
            with atomic_directory(root) as temporary:
                write_tree(interface, headers.directory, temporary)
    return root
