"""An extension module's binary, made what a framework holds: a dylib with the framework's name, joined, signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.base.target import Abi, Arch, IOSVersion
from forge.frameworks.findings import Finding, finding
from forge.macho.errors import MachOError
from forge.macho.fat import join_fat, split_fat
from forge.macho.formats import describe_format, looks_like_macho
from forge.macho.model import FileType, MachOSlice, Platform, Version
from forge.macho.reader import read_macho
from forge.wheel.repair_binary import mend_binary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PLATFORMS = {Abi.IPHONEOS: Platform.IOS, Abi.IPHONESIMULATOR: Platform.IOS_SIMULATOR}
_LIBRARIES = frozenset({FileType.DYLIB, FileType.BUNDLE})
_ARM64_SIMULATOR_FLOOR = Version(14)


@dataclass(frozen=True)
class Binary:
    """A framework's binary.

    Args:
        data: Thin or fat.
        minimum_os: The lowest iOS that all its slices run on.
    """

    data: bytes
    minimum_os: Version


def make_binary(
    place: str, parts: Mapping[Arch, bytes], framework: str, abi: Abi, limit: IOSVersion | None, report: list[Finding]
) -> Binary | None:
    """Make a framework's binary of an extension module, mended as `forge.wheel.repair` does.

    Args:
        place: What findings call it.
        parts: The module's file for each architecture.
        framework: The framework's name.
        abi: What the tree is for.
        limit: The app's minimum iOS version, which no slice may need more than.
        report: Gets what is wrong.

    Returns:
        None where something is wrong that keeps it from being a framework's binary; *report* says what.
    """
    made: list[bytes] = []
    minimums: list[Version] = []
    for arch, data in sorted(parts.items()):
        try:
            one, thin = _slice(data, arch, abi)
            mended = mend_binary(place, thin, one, framework, {})
        except MachOError as error:
            report.append(finding("FW205", place, f"{arch}: {error.problem}"))
            continue
        made.append(mended.data)
        minimums.append(one.builds[0].minos)
        if limit is not None and minimums[-1] > highest_minimum(limit, arch, abi):
            report.append(finding("FW209", place, f"{arch}: needs iOS {minimums[-1]}; the app's minimum is {limit}"))
        report += [
            finding("FW205", place, f"{arch}: {rest}") for rest in mended.unmendable if rest.what not in _HARMLESS
        ]
    if len(made) != len(parts):
        return None
    return Binary(made[0] if len(made) == 1 else join_fat(made), max(minimums))


_HARMLESS = frozenset({"debug information", "install name", "signature"})
"""What could not be mended and needs no word here: name and signature are looked at in the result."""


def highest_minimum(limit: IOSVersion, arch: Arch, abi: Abi) -> Version:
    """The highest ``minos`` that an app for *limit* may hold: arm64 simulators start at iOS 14.0."""
    version = Version(limit.major, limit.minor)
    if abi is Abi.IPHONESIMULATOR and arch is Arch.ARM64:
        return max(version, _ARM64_SIMULATOR_FLOOR)
    return version


def _slice(data: bytes, arch: Arch, abi: Abi) -> tuple[MachOSlice, bytes]:
    """The library for an architecture, out of a thin or fat file.

    Raises:
        MachOError: There is none.
    """
    if not looks_like_macho(data[:8]):
        raise MachOError(f"not a Mach-O file but {describe_format(data[:8])}")
    found = [(one, part) for part in split_fat(data) if (one := read_macho(part).slices[0]).cpu.value == arch]
    if len(found) != 1:
        raise MachOError(f"code for {_cpus(read_macho(data).slices)}")
    one = found[0][0]
    if one.file_type not in _LIBRARIES:
        raise MachOError(f"its type is {one.file_type.macro}, which is not a library's")
    if [build.platform for build in one.builds] != [PLATFORMS[abi]]:
        raise MachOError(f"built for {', '.join(b.platform.label for b in one.builds) or 'an unnamed platform'}")
    return found[0]


def _cpus(slices: Sequence[MachOSlice]) -> str:
    return ", ".join(one.cpu for one in slices)
