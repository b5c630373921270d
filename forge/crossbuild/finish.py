"""Finishes a wheel that a back end built: removes the build's paths, repairs it and packs it reproducibly."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.base.neutral import neutral
from forge.crossbuild.bundle import bundle_libraries
from forge.crossbuild.licenses import add_licenses
from forge.crossbuild.run_requirements import add_run_requirements
from forge.toolchain.environment import SOURCE_DATE_EPOCH
from forge.wheel.openssl import openssl_version
from forge.wheel.pack import pack_wheel, unpack_wheel
from forge.wheel.privacy import manifest_path, openssl_manifest
from forge.wheel.repair import repair_wheel
from forge.wheel.repair_model import render_text
from forge.wheel.sbom import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

_TEXT = frozenset({
    ".py", ".pyi", ".json", ".txt", ".cfg", ".toml", ".ini", ".pc", ".cmake", ".sh", ".la", ".mk",
    ".h", ".hh", ".hpp", ".hxx", ".inc", ".c", ".cc", ".cpp", ".cxx", ".m", ".mm",
})  # fmt: skip
"""Files in which packages may record how they were built: numpy's ``__config__.py``, the C that Cython writes."""


@dataclass(frozen=True)
class FinishedWheel:
    """A finished wheel, ready to be checked.

    Args:
        path: The file.
        report: What the repair changed, as text.
    """

    path: Path
    report: str


def finish_wheel(
    wheel: Path, work: Path, names: Mapping[Path, str], sbom: str = "", run_requirements: Sequence[str] = (),
    *, own: Collection[str] = (), licenses: Mapping[str, bytes] | None = None, libraries: Path | None = None,
) -> FinishedWheel:  # fmt: skip
    """Finish a built wheel.

    Args:
        wheel: The wheel that the back end built.
        work: A work directory, which is created; the finished wheel is in it.
        names: Directories of this machine, and the names that replace them in the wheel's text files.
        sbom: The bill of materials to add, or an empty string.
        run_requirements: Requirements to add to METADATA (PEP 508).
        own: What `own_files` found in the source.
        licenses: Licence files to add, from `forge.crossbuild.licenses.license_files`.
        libraries: The directory of the host requirements' libraries, of which shared ones are put into the wheel.

    Raises:
        WheelError: The wheel cannot be read.
    """
    shutil.rmtree(work, ignore_errors=True)
    tree = work / "tree"
    unpack_wheel(wheel, tree)
    replace_paths(tree, names, own)
    if libraries is not None:
        bundle_libraries(tree, libraries)
    add_privacy_manifests(tree)
    (dist_info,) = tree.glob("*.dist-info")
    add_run_requirements(dist_info, run_requirements)
    add_licenses(dist_info, licenses or {})
    if sbom:
        (dist_info / "sboms").mkdir(exist_ok=True)
        (dist_info / "sboms" / FILE_NAME).write_text(sbom, encoding="utf-8")
    packed = pack_wheel(tree, work / "packed", source_date_epoch=SOURCE_DATE_EPOCH, compress=False)
    repaired = repair_wheel(packed, work / "repaired", source_date_epoch=SOURCE_DATE_EPOCH)
    if repaired.output is not None and repaired.changes:
        return FinishedWheel(repaired.output, render_text(repaired))
    # repair_wheel returns its uncompressed input if nothing changed.
    return FinishedWheel(pack_wheel(tree, work, source_date_epoch=SOURCE_DATE_EPOCH), render_text(repaired))


def add_privacy_manifests(tree: Path) -> None:
    """Add a privacy manifest next to each module or library that OpenSSL is linked into, unless the package has one.

    A library's moves with it where a repair makes it what app builds make a framework of.
    """
    for file in sorted((*tree.rglob("*.so"), *tree.rglob("*.dylib"))):
        manifest = tree / manifest_path(file.relative_to(tree).as_posix())
        if not manifest.exists() and openssl_version(file.read_bytes()):
            manifest.write_bytes(openssl_manifest())


def replace_paths(tree: Path, names: Mapping[Path, str], own: Collection[str] = ()) -> None:
    """Replace directories of this machine in a tree's text files by neutral names.

    Args:
        tree: The unpacked wheel.
        names: The directories, and the names that replace them.
        own: The sha256 of the package's own files with such a path in them, from `own_files`; they are not changed.
    """
    for file in _text_files(tree):
        content = file.read_bytes()
        changed = neutral(content, names)
        if changed != content and hashlib.sha256(content).hexdigest() not in own:
            file.write_bytes(changed)


def own_files(source: Path, names: Collection[Path]) -> frozenset[str]:
    """The sha256 of a source tree's text files that name a directory of this machine before anything is built.

    Such a name is the package's own: a route ``/srv/builds`` of a web application, if the cache is in ``/srv``.
    """
    contents = (file.read_bytes() for file in _text_files(source))
    same = dict.fromkeys(names, "")
    return frozenset(hashlib.sha256(text).hexdigest() for text in contents if neutral(text, same) != text)


def _text_files(tree: Path) -> Iterator[Path]:
    for file in sorted(tree.rglob("*")):
        if file.suffix in _TEXT and not file.is_symlink() and file.is_file():
            yield file
