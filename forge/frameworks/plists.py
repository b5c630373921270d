"""The property lists of frameworks and XCframeworks, made and read.

Keys of a framework: CPython's ``iOS/Resources/dylib-Info-template.plist``. Keys of an XCframework: what
``xcodebuild -create-xcframework`` writes, as in the ``Python.xcframework`` of CPython's testbed.
"""

from __future__ import annotations

import plistlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.parsers.expat import ExpatError

from forge.base.target import Abi

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.base.target import Arch

SUPPORTED_PLATFORMS = {Abi.IPHONEOS: "iPhoneOS", Abi.IPHONESIMULATOR: "iPhoneSimulator"}

_ERRORS = (
    plistlib.InvalidFileException, ExpatError, ValueError, TypeError, KeyError, IndexError, AttributeError,
    OverflowError, RecursionError, OSError,
)  # fmt: skip
"""What plistlib raises for files that are no property lists, and what reading raises."""


@dataclass(frozen=True)
class Slice:
    """One ABI's part of an XCframework.

    Args:
        abi: Whose.
        arches: Its architectures, in any order.
    """

    abi: Abi
    arches: tuple[Arch, ...]

    @property
    def identifier(self) -> str:
        """The directory's name, e.g. ``ios-arm64_x86_64-simulator``."""
        return f"ios-{'_'.join(sorted(self.arches))}{'-simulator' if self.abi is Abi.IPHONESIMULATOR else ''}"


def framework_plist(name: str, identifier: str, version: str, abi: Abi, minimum_os: str) -> bytes:
    """A framework's Info.plist.

    Args:
        name: Of the framework and its binary.
        identifier: CFBundleIdentifier.
        version: At most three integers.
        abi: What it is for.
        minimum_os: MinimumOSVersion, e.g. ``12.0``.
    """
    return plistlib.dumps(
        {
            "CFBundleDevelopmentRegion": "en",
            "CFBundleExecutable": name,
            "CFBundleIdentifier": identifier,
            "CFBundleInfoDictionaryVersion": "6.0",
            "CFBundlePackageType": "APPL",
            "CFBundleShortVersionString": version,
            "CFBundleSupportedPlatforms": [SUPPORTED_PLATFORMS[abi]],
            "CFBundleVersion": version,
            "MinimumOSVersion": minimum_os,
        }
    )


def xcframework_plist(name: str, slices: Sequence[Slice]) -> bytes:
    """An XCframework's Info.plist."""
    return plistlib.dumps(
        {
            "AvailableLibraries": [
                xcframework_library(name, one) for one in sorted(slices, key=lambda one: one.identifier)
            ],
            "CFBundlePackageType": "XFWK",
            "XCFrameworkFormatVersion": "1.0",
        }
    )


def xcframework_library(name: str, one: Slice) -> dict[str, Any]:
    """What an XCframework's Info.plist says of a slice."""
    library: dict[str, Any] = {
        "BinaryPath": f"{name}.framework/{name}",
        "LibraryIdentifier": one.identifier,
        "LibraryPath": f"{name}.framework",
        "SupportedArchitectures": sorted(map(str, one.arches)),
        "SupportedPlatform": "ios",
    }
    if one.abi is Abi.IPHONESIMULATOR:
        library["SupportedPlatformVariant"] = "simulator"
    return library


def read_plist(data: bytes) -> dict[str, Any] | None:
    """A property list that holds a dictionary; None if it is none.

    Args:
        data: The file, XML or binary.
    """
    try:
        value = plistlib.loads(data)
    except _ERRORS:
        return None
    return value if isinstance(value, dict) else None
