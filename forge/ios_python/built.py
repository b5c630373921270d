"""Building Pythons for apps: libraries, one CPython a target, the XCframework; each cached, each whole or not at all.

pythons/libraries/<name>-<version>-<multiarch>-<fingerprint>/    include, lib
pythons/thin/<version>-<multiarch>-<fingerprint>/                Python.framework, bin, include, lib
pythons/<version>-<fingerprint of the set>/Python.xcframework
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.atomic import atomic_directory, locked
from forge.base.attempts import new_attempt, new_log, remove_tree
from forge.base.hashing import file_sha256, fingerprint
from forge.ios_python.build_python import ensure_exact_python
from forge.ios_python.cpython import build_cpython
from forge.ios_python.kept import KeptPython, read_kept
from forge.ios_python.native import BUILDERS, Workshop
from forge.ios_python.product import XCFramework
from forge.ios_python.xcframework import assemble_xcframework
from forge.source.fetch import fetch, prepare
from forge.toolchain.environment import cross_environment, environment_identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.ios_python.releases import PinnedSource, Release
    from forge.toolchain.base import Toolchain

_ROOM = Path(__file__).parent
MANIFEST = "forge.json"


def ensure_built(
    home: ForgeHome, release: Release, targets: Sequence[Target], toolchain: Toolchain, progress: Progress
) -> XCFramework:
    """The Python for apps with these targets: taken from the cache, or built.

    Args:
        home: The cache.
        release: The CPython release.
        targets: What it is wanted for, all with the same minimum iOS version.
        toolchain: What compiles.
        progress: Is told what happens.

    Raises:
        SourceError, NetworkError: A source cannot be had.
        ToolchainError, BuildError, IOSPythonError: It cannot be built.
    """
    thin = {target: _ensure_thin(home, release, target, toolchain, progress) for target in sorted(set(targets))}
    key = fingerprint({"thin": sorted(path.name for path in thin.values()), "code": _code("xcframework.py")})
    directory = home.pythons / f"{release.version}-{key[:12]}"
    python = XCFramework(directory / "Python.xcframework", release.version, tuple(thin))
    with locked(home.locks, f"python-{directory.name}"):
        if not (directory / MANIFEST).is_file():
            progress.phase(f"Python {release.version}", "assemble the XCframework")
            with atomic_directory(directory) as temporary:
                assemble_xcframework(thin, release.minor, toolchain, temporary / "Python.xcframework")
                (temporary / MANIFEST).write_text(json.dumps(_manifest(python), indent=2) + "\n", encoding="utf-8")
    return python


def built_pythons(home: ForgeHome) -> tuple[KeptPython, ...]:
    """The Pythons for apps that forge built, newest version first."""
    found: list[Path] = []
    for manifest in sorted(home.pythons.glob(f"*/{MANIFEST}")):
        try:
            json.loads(manifest.read_text(encoding="utf-8"))["targets"].items()
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # not forge's, or half deleted
        found.append(manifest.parent)
    return read_kept(found)


def _manifest(python: XCFramework) -> dict[str, object]:
    return {"version": python.version, "targets": {t.multiarch: str(t.ios_version) for t in python.targets}}


def _code(*names: str) -> dict[str, str]:
    """The hashes of the modules that decide how something is built."""
    return {name: file_sha256(_ROOM / name) for name in names}


def _library_fingerprint(source: PinnedSource, target: Target, toolchain: Toolchain) -> str:
    return fingerprint(
        {
            "source": source.identity,
            "target": [target.multiarch, str(target.ios_version)],
            "toolchain": toolchain.id,
            "code": _code("native.py", "built.py"),
            "environment": environment_identity(),
        }
    )


def _ensure_library(
    home: ForgeHome, source: PinnedSource, target: Target, toolchain: Toolchain, progress: Progress
) -> Path:
    name = f"{source.name}-{source.version}-{target.multiarch}"
    entry = f"{name}-{_library_fingerprint(source, target, toolchain)[:16]}"
    destination = home.pythons / "libraries" / entry
    with locked(home.locks, entry):
        if destination.is_dir():
            return destination
        subject = f"{source.name} {target}"
        work = new_attempt(home.work, entry)
        archive = fetch(source.source, home, progress)
        prepare(archive, source.patches, work / source.name, progress)
        log = new_log(home.logs, name)
        progress.phase(subject, "compile")
        with atomic_directory(destination) as temporary:
            # Installed into its final place's name would need a second move; these libraries do not record theirs in
            # anything that a static link reads.
            env = cross_environment(toolchain, target, work, prefix_map={work: "/usr/src"})
            BUILDERS[source.name](Workshop(work / source.name, temporary, target, env, log))
        remove_tree(work)
    return destination


def _ensure_thin(home: ForgeHome, release: Release, target: Target, toolchain: Toolchain, progress: Progress) -> Path:
    key = fingerprint(
        {
            "cpython": release.cpython.identity,
            "libraries": [_library_fingerprint(source, target, toolchain) for source in release.libraries],
            "target": [target.multiarch, str(target.ios_version)],
            "toolchain": toolchain.id,
            "code": _code("cpython.py", "built.py"),
            "environment": environment_identity(),
        }
    )
    entry = f"{release.version}-{target.multiarch}-{key[:16]}"
    destination = home.pythons / "thin" / entry
    if destination.is_dir():
        return destination
    build_python = ensure_exact_python(home, release, progress)
    libraries = {
        source.name: _ensure_library(home, source, target, toolchain, progress) for source in release.libraries
    }
    subject = f"Python {release.version} {target}"
    with locked(home.locks, f"python-{entry}"):
        if destination.is_dir():
            return destination
        work = new_attempt(home.work, entry)
        archive = fetch(release.cpython.source, home, progress)
        prepare(archive, release.cpython.patches, work / "python", progress)
        log = new_log(home.logs, f"python-{release.version}-{target.multiarch}")
        with atomic_directory(destination) as temporary:
            staging = temporary / "staging"
            installed = build_cpython(
                tree=work / "python",
                minor=release.minor,
                target=target,
                libraries=libraries,
                toolchain=toolchain,
                build_python=build_python,
                work=work,
                staging=staging,
                log=log,
                progress=progress,
                subject=subject,
            )
            for child in list(installed.iterdir()):
                child.rename(temporary / child.name)
            shutil.rmtree(staging)
        remove_tree(work)
    return destination
