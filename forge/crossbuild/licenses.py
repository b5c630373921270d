"""Licences of what is linked into a wheel: host requirements and Rust crates.

A wheel that contains OpenBLAS or a hundred crates distributes them, and most licences require that their text is
included. numpy's own wheels do the same.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.metadata import parse_email
from packaging.version import InvalidVersion, Version

from forge.wheel.contents import read_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from forge.crossbuild.host_prefix import HostPackage

CRATES_FILE = "rust-crates.txt"
"""The file in ``licenses/`` with the licences of all crates: there may be hundreds, most with the same text."""

_LICENSE_NAME = re.compile(r"(licen[cs]e|copying|notice|unlicense|copyright)([-._].*)?", flags=re.IGNORECASE)
_CRATE_SOURCE = re.compile(r"/registry/src/[^/\s]+/([^/\s]+?)-(\d+\.\d+\.\d+[^/\s]*)/")
_METADATA_2_4 = Version("2.4")


@dataclass(frozen=True)
class Crate:
    """A crate that was compiled for the target.

    Args:
        name: The name.
        version: The version.
        license: The licence in its manifest, usually an SPDX expression, or an empty string.
        texts: The licence files, by name.
    """

    name: str
    version: str
    license: str
    texts: Mapping[str, str]


def linked_crates(tree: Path, triple: str) -> tuple[Crate, ...]:
    """The crates that cargo compiled for a target, sorted, without those that ran on the build machine.

    For each crate, rustc lists the source files that it read (``target/<triple>/<profile>/deps/*.d``). Those of crates
    from a registry are in cargo's home, in a directory named after crate and version.

    Args:
        tree: The directory of the build.
        triple: Rust's name for the target.
    """
    directories: dict[tuple[str, str], Path] = {}
    for file in tree.rglob(f"{triple}/*/deps/*.d"):
        text = file.read_text(encoding="utf-8", errors="replace")
        for found in _CRATE_SOURCE.finditer(text):
            start = text.rfind(" ", 0, found.start()) + 1
            start = max(start, text.rfind("\n", 0, found.start()) + 1)
            directories[found[1], found[2]] = tree.__class__(text[start : found.end() - 1])
    return tuple(_crate(name, version, path) for (name, version), path in sorted(directories.items()))


def _crate(name: str, version: str, directory: Path) -> Crate:
    license_ = ""
    try:
        package = tomllib.loads((directory / "Cargo.toml").read_text(encoding="utf-8")).get("package", {})
        license_ = str(package.get("license", ""))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        pass  # cargo reads the manifest too, so this does not happen; the licence is left out
    texts = {
        path.name: path.read_text(encoding="utf-8", errors="replace")
        for path in (sorted(directory.iterdir()) if directory.is_dir() else ())
        if path.is_file() and _LICENSE_NAME.fullmatch(path.name)
    }
    return Crate(name, version, license_, texts)


def license_files(host: Sequence[HostPackage], crates: Sequence[Crate]) -> dict[str, bytes]:
    """The files to add to ``.dist-info/licenses``, with their contents by path.

    Args:
        host: The host requirements; only native libraries are linked in.
        crates: The crates that `linked_crates` found.
    """
    files: dict[str, bytes] = {}
    for package in host:
        if package.is_native_library:
            files |= {f"{package.name}/{path}": data for path, data in _wheel_licenses(package.wheel)}
    if crates:
        files[CRATES_FILE] = _crates_text(crates).encode()
    return files


def declared_license(wheel: Path) -> str:
    """The SPDX expression that a wheel's METADATA declares, or an empty string.

    ``License-Expression`` (PEP 639), or ``License`` of older metadata where its text is such an expression.

    Raises:
        WheelError: The wheel cannot be read.
    """
    contents = read_wheel(wheel)
    content = next(data for member, data in contents.read_all() if member == f"{contents.dist_info}/METADATA")
    raw, _ = parse_email(content)
    try:
        return str(canonicalize_license_expression(raw.get("license_expression") or raw.get("license") or ""))
    except InvalidLicenseExpression:
        return ""


def _wheel_licenses(wheel: Path) -> Iterator[tuple[str, bytes]]:
    contents = read_wheel(wheel)
    prefix = f"{contents.dist_info}/licenses/"
    for member, data in contents.read_all():
        if member.startswith(prefix):
            yield member.removeprefix(prefix), data


def _crates_text(crates: Sequence[Crate]) -> str:
    """A list of the crates, then each distinct text once, under the crates that have it."""
    owners: dict[str, list[str]] = {}
    for crate in crates:
        for name, text in crate.texts.items():
            owners.setdefault(text.strip(), []).append(f"{crate.name} {crate.version} ({name})")
    lines = ["Rust crates whose compiled code is in this wheel:", ""]
    lines += [f"  {crate.name} {crate.version}: {crate.license or 'see its licence below'}" for crate in crates]
    parts = ["\n".join(lines)]
    parts += ["\n".join(["=" * 100, *names, "", text]) for text, names in owners.items()]
    return "\n\n".join(parts) + "\n"


def add_licenses(dist_info: Path, files: Mapping[str, bytes]) -> None:
    """Add licence files to an unpacked wheel, and list them in METADATA.

    License-File requires core metadata 2.4 (PEP 639); an older METADATA is not changed.
    """
    for name, data in files.items():
        path = dist_info / "licenses" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    metadata = dist_info / "METADATA"
    header, separator, body = metadata.read_text(encoding="utf-8").partition("\n\n")
    if _version(header) < _METADATA_2_4 or not files:
        return
    lines = header.rstrip("\n").split("\n")
    lines += [line for line in (f"License-File: {name}" for name in sorted(files)) if line not in lines]
    metadata.write_text("\n".join(lines) + (separator or "\n") + body, encoding="utf-8")


def _version(header: str) -> Version:
    found = re.search(r"^Metadata-Version:\s*(\S+)", header, flags=re.MULTILINE)
    try:
        return Version(found[1]) if found else Version("1.0")
    except InvalidVersion:
        return Version("1.0")
