"""Wheels to put into an index: what each says, and whether it may go in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.utils import canonicalize_name

from forge.base.hashing import file_sha256
from forge.index.model import HeldFile, PackageIndexError
from forge.wheel.contents import holds_native_library, open_wheel, parse_metadata
from forge.wheel.sbom_read import is_sbom, read_sbom

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from forge.audit.finding import Finding
    from forge.index.model import IndexState
    from forge.wheel.sbom_read import WheelSbom

LARGEST_LINE = 1 << 16
"""The longest summary or requirement that is kept."""


@dataclass(frozen=True)
class NewFile:
    """A wheel that is to go in.

    Args:
        path: Where it is.
        held: What the index says of it.
        metadata: Its METADATA.
        findings: What ``forge check`` finds, if somebody looked.
    """

    path: Path
    held: HeldFile
    metadata: bytes
    findings: tuple[Finding, ...] | None = None


@dataclass(frozen=True)
class Additions:
    """What became of the wheels that were offered.

    Args:
        new: What goes in.
        same: Names of what is in already, with the same bytes.
        libraries: Names of wheels of native libraries, which are for builds: an app cannot use them.
    """

    new: tuple[NewFile, ...]
    same: tuple[str, ...]
    libraries: tuple[str, ...]


def additions(wheels: Iterable[Path], state: IndexState, uploaded: str) -> Additions:
    """Look at wheels before any goes in.

    Args:
        wheels: The files.
        state: What the index holds.
        uploaded: The time, as `HeldFile` has it.

    Raises:
        WheelError: One cannot be read, or its metadata is of another project or version.
        PackageIndexError: Other bytes of that name are in the index, or are offered twice.
    """
    new: dict[str, NewFile] = {}
    same: dict[str, None] = {}
    libraries: dict[str, None] = {}
    for wheel in sorted(wheels, key=lambda path: (path.name, str(path))):
        digest = file_sha256(wheel)
        there = new[wheel.name].held if wheel.name in new else state.files.get(wheel.name)
        if there is not None:
            if there.sha256 != digest:
                raise _other_bytes(wheel, digest, there, state.files)
            same.setdefault(wheel.name)
            continue
        offered = new_file(wheel, digest, uploaded)
        if offered is None:
            libraries.setdefault(wheel.name)
        else:
            new[wheel.name] = offered
    return Additions(tuple(new.values()), tuple(name for name in same if name not in new), tuple(libraries))


def new_file(wheel: Path, digest: str, uploaded: str) -> NewFile | None:
    """What an index will say of a wheel; None for one of a native library.

    Args:
        wheel: The file.
        digest: Its sha256.
        uploaded: The time, as `HeldFile` has it.

    Raises:
        WheelError: It cannot be read.
        PackageIndexError: Its metadata is of another project.
    """
    with open_wheel(wheel) as opened:
        paths = [member.path for member in opened.members]
        if holds_native_library(paths, opened.dist_info):
            return None
        content = opened.read_info("METADATA")
        boms = [read_sbom(path, opened.read(path)) for path in paths if is_sbom(path)]
    name, metadata = opened.name, parse_metadata(content, wheel.name)
    if canonicalize_name(metadata.name) != name.canonical_distribution:
        raise PackageIndexError(
            f"{wheel.name} says in its METADATA that it is of {metadata.name}",
            hint="build it again: installers refuse such a wheel",
        )
    held = HeldFile(
        filename=wheel.name,
        size=wheel.stat().st_size,
        sha256=digest,
        uploaded=uploaded,
        metadata_sha256=hashlib.sha256(content).hexdigest(),
        requires_python=metadata.requires_python,
        requires_dist=tuple(text[:LARGEST_LINE] for text in metadata.requires_dist),
        summary=" ".join(metadata.summary.split())[:LARGEST_LINE],
        license=_license(metadata.license),
        contains=_linked(boms, name.filename),
    )
    return NewFile(wheel, held, content)


def _linked(boms: Iterable[WheelSbom], filename: str) -> tuple[str, ...]:
    """What is in a wheel besides the project's own source: name and version of each library, sorted."""
    own = "-".join(filename.split("-")[:2]).lower()
    found = {
        f"{one.name} {one.version}".strip()[:LARGEST_LINE]
        for bom in boms
        for one in bom.components
        if one.included and not one.name.lower().startswith(own)
    }
    return tuple(sorted(found))


def _license(text: str) -> str:
    """A licence expression; old metadata has any text there."""
    try:
        return str(canonicalize_license_expression(text))
    except InvalidLicenseExpression:
        return ""


def _other_bytes(wheel: Path, digest: str, there: HeldFile, held: Mapping[str, HeldFile]) -> PackageIndexError:
    number = next_build_number(wheel.name, held)
    return PackageIndexError(
        f"{wheel.name} is in the index already, with other bytes: sha256 {there.sha256} there, {digest} here",
        hint=f"a published file never changes: build it as build number {number}, or remove it from the wheels to add",
    )


def next_build_number(filename: str, held: Iterable[str]) -> int:
    """The lowest build number (the binary distribution format's build tag) above those of the same wheel.

    Args:
        filename: The wheel's name, with or without a build number.
        held: The names of what the index holds.
    """
    parts = filename.removesuffix(".whl").split("-")
    same = [name.removesuffix(".whl").split("-") for name in held]
    numbers = [
        int("".join(digit for digit in other[2] if digit.isdecimal()) or 0)
        for other in same
        if len(other) == 6 and other[:2] == parts[:2] and other[-3:] == parts[-3:]
    ]
    return max(numbers, default=0) + 1
