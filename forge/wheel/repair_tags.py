"""Platform tags that contradict the wheel's own binaries, mended where these prove what is right.

A Mach-O file says which CPU, platform and lowest iOS it is for. Where all of a wheel's agree, its platform tag
follows, whatever a build back end thought that it was building for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.tags import Tag

from forge.base.target import Abi, Arch, IOSVersion, Target, TargetError
from forge.macho.model import Cpu, MachOSlice, Platform
from forge.wheel.repair_model import Change, Unmendable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forge.macho.model import Version

_ABIS = {Platform.IOS: Abi.IPHONEOS, Platform.IOS_SIMULATOR: Abi.IPHONESIMULATOR}
_ARCHES = {Cpu.ARM64: Arch.ARM64, Cpu.X86_64: Arch.X86_64}
_IOS_TAG = re.compile(r"ios_(\d{1,3})_(\d{1,3})_.+", flags=re.ASCII)
_LOWEST_ARM64_SIMULATOR = (14, 0, 0)
"""arm64 simulators came with iOS 14, so that linkers write at least that, whatever was asked for."""


@dataclass(frozen=True)
class MendedTags:
    """A wheel's tags after its repair.

    Args:
        name: Those of the file name.
        wheel: Those of the file WHEEL.
        changes: What was fixed.
        unmendable: What was not.
    """

    name: frozenset[Tag]
    wheel: frozenset[Tag]
    changes: tuple[Change, ...]
    unmendable: tuple[Unmendable, ...]


def mend_tags(name: frozenset[Tag], wheel: frozenset[Tag], slices: Iterable[MachOSlice], wheel_path: str) -> MendedTags:
    """Mend a wheel's platform tags.

    Args:
        name: The file name's tags.
        wheel: The file WHEEL's.
        slices: Every library in the wheel.
        wheel_path: The path of the file WHEEL.
    """
    proof = _prove(tuple(slices))
    if isinstance(proof, str):
        problems = (
            () if name == wheel else (Unmendable(wheel_path, "tags", f"not those of the file name, and {proof}"),)
        )
        return MendedTags(name, wheel, (), problems)
    new_name = frozenset(_mended(tag, proof) for tag in name)
    new_wheel = frozenset(_mended(tag, proof) for tag in wheel)
    changes: list[Change] = []
    unmendable: list[Unmendable] = []
    if {(tag.interpreter, tag.abi) for tag in name} == {(tag.interpreter, tag.abi) for tag in wheel}:
        new_wheel = new_name
    elif new_name != new_wheel:
        unmendable.append(Unmendable(wheel_path, "tags", "its Python or ABI tags are not the file name's"))
    if any(tag.platform == "any" for tag in new_name):
        unmendable.append(Unmendable(None, "tags", "the wheel is tagged for any platform and holds code for iOS"))
    if new_name != name:
        changes.append(Change(None, "tags", _shown(name), _shown(new_name)))
    if new_wheel != wheel:
        changes.append(Change(wheel_path, "tags", _shown(wheel), _shown(new_wheel)))
    return MendedTags(new_name, new_wheel, tuple(changes), tuple(unmendable))


@dataclass(frozen=True)
class _Proof:
    abi: Abi
    arch: Arch
    lowest: IOSVersion | None
    """The lowest iOS that every binary runs on; None where that says nothing about the tag."""


def _prove(slices: tuple[MachOSlice, ...]) -> _Proof | str:
    """What the binaries are for, or why they prove nothing."""
    if not slices:
        return "there is no binary to prove which is right"
    kinds = {(one.platform, one.cpu) for one in slices}
    if len(kinds) > 1:
        return "its binaries are for several platforms"
    platform, cpu = kinds.pop()
    if platform not in _ABIS or cpu not in _ARCHES:
        return f"its binaries are for {platform.label}, {cpu}"
    # A file may also say what it needs on another platform, which has versions of its own.
    highest = max((build.minos for one in slices for build in one.builds if build.platform is platform), key=_numbers)
    if platform is Platform.IOS_SIMULATOR and cpu is Cpu.ARM64 and _numbers(highest) <= _LOWEST_ARM64_SIMULATOR:
        lowest = None
    else:
        lowest = _lowest(highest.major, highest.minor + (highest.patch > 0))
    try:
        Target(_ABIS[platform], _ARCHES[cpu])
    except TargetError as error:
        return error.message
    return _Proof(_ABIS[platform], _ARCHES[cpu], lowest)


def _mended(tag: Tag, proof: _Proof) -> Tag:
    if tag.platform == "any":
        return tag
    found = _IOS_TAG.fullmatch(tag.platform)
    version = _lowest(int(found[1]), int(found[2])) if found else IOSVersion(12)
    if not found and proof.lowest is None:
        version = IOSVersion(14)
    target = Target(proof.abi, proof.arch, max(version, proof.lowest or version))
    return Tag(tag.interpreter, tag.abi, target.platform_tag)


def _lowest(major: int, minor: int) -> IOSVersion:
    """The lowest version that a tag can name and that is not below *major*.*minor*."""
    if minor > 9:
        major, minor = major + 1, 0
    return IOSVersion(major, minor) if major >= 12 else IOSVersion(12)


def _numbers(version: Version) -> tuple[int, int, int]:
    return version.major, version.minor, version.patch


def _shown(tags: frozenset[Tag]) -> str:
    return ", ".join(sorted(map(str, tags))) or "none"
