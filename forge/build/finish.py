"""What happens to a wheel after the back end made it: paths of the build taken out, repaired, packed reproducibly."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.audit.content import openssl_version
from forge.build.run_requirements import add_run_requirements
from forge.toolchain.environment import SOURCE_DATE_EPOCH
from forge.wheel.pack import pack_wheel, unpack_wheel
from forge.wheel.privacy import manifest_path, openssl_manifest
from forge.wheel.repair import repair_wheel
from forge.wheel.repair_model import render_text
from forge.wheel.sbom import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_TEXT = frozenset({".py", ".pyi", ".json", ".txt", ".cfg", ".toml", ".ini", ".pc", ".cmake", ".sh", ".h"})
"""Files that packages write when they are built, about how they were built (numpy's ``__config__.py``)."""


@dataclass(frozen=True)
class FinishedWheel:
    """A wheel as it goes to the check.

    Args:
        path: The file.
        report: What the repair did to it, as text.
    """

    path: Path
    report: str


def finish_wheel(
    wheel: Path, work: Path, names: Mapping[Path, str], sbom: str = "", run_requirements: Sequence[str] = ()
) -> FinishedWheel:
    """Finish a built wheel.

    Args:
        wheel: What the back end made.
        work: A directory to work in, made anew; the finished wheel is in it.
        names: Directories of this machine and what the wheel's text files call them instead.
        sbom: The bill of materials to put into it, or an empty string.
        run_requirements: What METADATA is to declare besides (PEP 508).

    Raises:
        WheelError: It is no readable wheel.
    """
    shutil.rmtree(work, ignore_errors=True)
    tree = work / "tree"
    unpack_wheel(wheel, tree)
    replace_paths(tree, names)
    add_privacy_manifests(tree)
    (dist_info,) = tree.glob("*.dist-info")
    add_run_requirements(dist_info, run_requirements)
    if sbom:
        (dist_info / "sboms").mkdir(exist_ok=True)
        (dist_info / "sboms" / FILE_NAME).write_text(sbom, encoding="utf-8")
    packed = pack_wheel(tree, work / "packed", source_date_epoch=SOURCE_DATE_EPOCH, compress=False)
    repaired = repair_wheel(packed, work / "repaired", source_date_epoch=SOURCE_DATE_EPOCH)
    if repaired.output is not None and repaired.changes:
        return FinishedWheel(repaired.output, render_text(repaired))
    # Where there was nothing to mend, the repair gave the uncompressed wheel back.
    return FinishedWheel(pack_wheel(tree, work, source_date_epoch=SOURCE_DATE_EPOCH), render_text(repaired))


def add_privacy_manifests(tree: Path) -> None:
    """Put a privacy manifest beside each module that OpenSSL is linked into, where the package brings none."""
    for file in sorted(tree.rglob("*.so")):
        manifest = tree / manifest_path(file.relative_to(tree).as_posix())
        if not manifest.exists() and openssl_version(file.read_bytes()):
            manifest.write_bytes(openssl_manifest())


def replace_paths(tree: Path, names: Mapping[Path, str]) -> None:
    """Replace directories of this machine in a tree's text files by neutral names, longest first."""
    places = sorted(((str(path), name) for path, name in names.items()), key=lambda pair: -len(pair[0]))
    for file in sorted(tree.rglob("*")):
        if file.suffix not in _TEXT or file.is_symlink() or not file.is_file():
            continue
        content = file.read_bytes()
        changed = content
        for place, name in places:
            changed = changed.replace(place.encode(), name.encode())
        if changed != content:
            file.write_bytes(changed)
