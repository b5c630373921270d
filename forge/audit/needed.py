"""The lowest iOS that a wheel's code runs on, whatever its tag says, and what asks for it.

A binary asks for an iOS version by its ``minos``, by a load command that earlier ones do not read, and by libraries and
symbols that earlier ones lack, unless it asks for these weakly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.audit.load_checks import is_system_library
from forge.audit.policy import system_library
from forge.base.target import Abi, IOSVersion, Target
from forge.macho.model import Binding, FileType, LoadKind, Platform
from forge.wheel.flat_lookups import flat_lookups, known_libraries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.audit.subject import Subject
    from forge.macho.model import MachOSlice, Version

CHAINED_FIXUPS = IOSVersion(13, 4)
"""The first iOS whose dyld reads ``LC_DYLD_CHAINED_FIXUPS``."""
_LOWEST = IOSVersion(12, 0)
_PLATFORMS = {Abi.IPHONEOS: Platform.IOS, Abi.IPHONESIMULATOR: Platform.IOS_SIMULATOR}


@dataclass(frozen=True)
class NeededIOS:
    """What a wheel's code needs.

    Args:
        version: The lowest iOS that it runs on.
        reasons: What asks for that version, in words, sorted; empty at 12.0, the lowest that there are wheels for.
    """

    version: IOSVersion
    reasons: tuple[str, ...] = ()


def needed_ios(subject: Subject, target: Target) -> NeededIOS:
    """The lowest iOS that every binary of a wheel runs on.

    Args:
        subject: The wheel.
        target: Its architecture and ABI. arm64 simulators start at 14.0, so that nothing below counts there.
    """
    lowest = Target(target.abi, target.arch, _LOWEST)
    rows = {
        (version, f"{member}: {reason}")
        for member, one in subject.slices()
        if one.file_type is not FileType.OBJECT
        for version, reason in _needs(one, lowest)
        if version > lowest.effective_ios_version
    }
    highest = max((version for version, _ in rows), default=lowest.effective_ios_version)
    return NeededIOS(highest, tuple(sorted(reason for version, reason in rows if version == highest)))


def _needs(one: MachOSlice, lowest: Target) -> Iterator[tuple[IOSVersion, str]]:
    for build in one.builds:
        if build.platform is _PLATFORMS[lowest.abi]:
            yield _taggable(build.minos), f"is built for {build.minos}"
    if one.has_chained_fixups:
        yield CHAINED_FIXUPS, "has LC_DYLD_CHAINED_FIXUPS"
    for dylib in one.dylibs:
        if dylib.kind is not LoadKind.WEAK and is_system_library(dylib.name):
            since = system_library(dylib.name).since
            if since is not None:
                yield since, f"loads {dylib.name}"
    for found in one.imports:
        library = known_libraries().get(found.library or "")
        symbol = library.symbols.get(found.name) if library is not None else None
        if symbol is not None and symbol.since is not None and not found.weak:
            yield symbol.since, f"imports {found.name}"
    if any(found.binding in (Binding.DYNAMIC_LOOKUP, Binding.FLAT) for found in one.imports):
        for name, version in flat_lookups(one, (), (), lowest).newer:
            yield IOSVersion.parse(version), f"looks up {name}"


def _taggable(version: Version) -> IOSVersion:
    """The lowest version that a tag can name and that is not below *version*."""
    minor = version.minor + (version.patch > 0)
    major, minor = (version.major + 1, 0) if minor > 9 else (version.major, minor)
    return max(IOSVersion(major, minor), _LOWEST) if major >= _LOWEST.major else _LOWEST
