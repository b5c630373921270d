"""Pythons for iOS that others publish, added to the cache: python.org's, BeeWare's, and others of their layout.

    pythons/official/<version>-<sha256>/Python.xcframework
    pythons/official/<version>-<sha256>/forge.json              where it came from

What an archive is, is told by what is in it (`forge.ios_python.layout`); every path is derived from the files' own
places, never from what the publisher's build machine wrote into them.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import yaml
from packaging.version import InvalidVersion, Version

from forge.base.atomic import atomic_directory, locked
from forge.base.errors import IOSPythonError
from forge.base.hashing import file_sha256, tree_sha256
from forge.ios_python.interface import read_interface
from forge.ios_python.kept import KeptPython, read_kept
from forge.ios_python.layout import Layout, find_xcframework, recognise
from forge.ios_python.product import XCFramework, read_xcframework
from forge.ios_python.releases import DATA
from forge.source.archive import unpack
from forge.source.fetch import fetch
from forge.source.model import UrlSource, redacted

if TYPE_CHECKING:
    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress

MANIFEST = "forge.json"


def add_official(
    home: ForgeHome, what: str, sha256: str | None, progress: Progress
) -> tuple[XCFramework, Layout, tuple[str, ...]]:
    """Add an official Python to the cache.

    Args:
        home: The cache.
        what: A minor version whose archive is pinned, the path of an archive or directory, or a URL.
        sha256: What the archive must have; for a URL it must be given.
        progress: Receives progress updates.

    Returns:
        The Python, its layout, and what a Python for iOS has and this one lacks, for people.

    Raises:
        IOSPythonError: It is not a Python for iOS, or one that wheels cannot be built for.
        SourceError, NetworkError: The archive cannot be had, or has another sha256.
    """
    source, path = _find(home, what, sha256, progress)
    with tempfile.TemporaryDirectory() as scratch:
        if path.is_dir():
            tree, identity = path, tree_sha256(path)
        else:
            tree, identity = Path(scratch) / "tree", file_sha256(path)
            progress.phase(path.name, "unpack")
            unpack(path, tree)
        root = find_xcframework(tree, what)
        layout = recognise(root)
        product = read_xcframework(root)
        # Before anything is kept: is it a version that forge knows, and a build that its wheels fit?
        read_interface(product.minor)
        layout.check(product)
        destination = home.pythons / "official" / f"{product.version}-{identity[:12]}"
        with locked(home.locks, f"official-{destination.name}"):
            if not (destination / MANIFEST).is_file():
                progress.phase(f"Python {product.version}", "add")
                with atomic_directory(destination) as temporary:
                    shutil.copytree(root, temporary / "Python.xcframework", symlinks=True)
                    manifest = {"source": source, "sha256": identity, "layout": asdict(layout)}
                    (temporary / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    added = read_xcframework(destination / "Python.xcframework")
    return added, layout, layout.lacks(added)


def official_pythons(home: ForgeHome) -> tuple[KeptPython, ...]:
    """The official Pythons that were added, newest version first."""
    return read_kept(manifest.parent for manifest in (home.pythons / "official").glob(f"*/{MANIFEST}"))


def read_layout(product: XCFramework) -> Layout:
    """What was recognised when an official Python was added.

    Raises:
        IOSPythonError: Its manifest is damaged.
    """
    manifest = product.root.parent / MANIFEST
    try:
        data: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
        return Layout(**{**data["layout"], "libraries": tuple(map(tuple, data["layout"]["libraries"]))})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IOSPythonError(
            f"{manifest} cannot be read: {error}", hint="delete its directory, and add the Python again"
        ) from error


def remove_official(home: ForgeHome, version: str) -> tuple[Path, ...]:
    """Remove official Pythons of a version from the cache, and say which directories they were.

    Raises:
        IOSPythonError: There is none.
    """
    gone = [python for python in official_pythons(home) if version in (python.version, python.minor)]
    if not gone:
        raise IOSPythonError(f"no official iOS Python {version} was added", hint="run 'forge python list'")
    for python in gone:
        shutil.rmtree(python.directory)
    return tuple(python.directory for python in gone)


def pinned_archives() -> dict[str, tuple[tuple[str, UrlSource], ...]]:
    """The archives that are pinned, with what to call them, by minor version."""
    data: dict[str, list[dict[str, Any]]] = yaml.safe_load((DATA / "official.yaml").read_text(encoding="utf-8"))
    return {
        minor: tuple((entry["name"], UrlSource(tuple(entry["urls"]), entry["sha256"])) for entry in entries)
        for minor, entries in data.items()
    }


def _find(home: ForgeHome, what: str, sha256: str | None, progress: Progress) -> tuple[str, Path]:
    """What to call the archive, and where it is."""
    if urlsplit(what).scheme in ("https", "http", "file"):
        if sha256 is None:
            raise IOSPythonError(f"the sha256 of {redacted(what)} is needed", hint="give the publisher's with --sha256")
        return redacted(what), fetch(UrlSource((what,), sha256), home, progress)
    path = Path(what)
    if path.exists():
        if sha256 is not None:
            if path.is_dir():
                raise IOSPythonError(f"{what} is a directory, which has no sha256", hint="leave --sha256 out")
            if (got := file_sha256(path)) != sha256.lower():
                raise IOSPythonError(
                    f"{what} has the wrong sha256\n  expected {sha256.lower()}\n  got      {got}",
                    hint="download it again, or ask its publisher",
                )
        return path.name, path.absolute()
    if not _is_version(what):
        raise IOSPythonError(f"{what} is not a file, a directory, a URL or a version")
    pinned = pinned_archives()
    if what not in pinned:
        raise IOSPythonError(
            f"forge knows no official archive of Python {what} for iOS",
            hint=f"known: {', '.join(sorted(pinned))}; or give the path or URL of an archive",
        )
    name, source = pinned[what][0]
    if sha256 is not None and sha256.lower() != source.sha256:
        source = UrlSource(source.urls, sha256.lower())
    return name, fetch(source, home, progress)


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True
