"""What a wheel is for: ABI, architecture and minimum iOS version (PEP 730).

The names are PEP 730's: the *abi* is ``iphoneos`` or ``iphonesimulator``, the *multiarch* is
``<arch>-<abi>`` (``sys.implementation._multiarch``), the platform tag is
``ios_<major>_<minor>_<arch>_<abi>`` (packaging's ``tags.ios_platforms``).
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from forge.base.errors import ForgeError


class Abi(enum.StrEnum):
    """The two SDKs, by the names that ``xcrun --sdk`` and PEP 730 use."""

    IPHONEOS = "iphoneos"
    IPHONESIMULATOR = "iphonesimulator"


class Arch(enum.StrEnum):
    """CPU architectures, by Apple's names."""

    ARM64 = "arm64"
    X86_64 = "x86_64"


class TargetError(ForgeError):
    """An iOS version or a target that does not exist."""

    exit_code = 2
    title = "target"


@dataclass(frozen=True, order=True)
class IOSVersion:
    """A minimum iOS version, e.g. 12.0.

    Args:
        major: At least 12, PEP 730's floor.
        minor: 0 to 9; packaging's ``ios_platforms`` knows no other.
    """

    major: int
    minor: int = 0

    def __post_init__(self) -> None:
        if self.major < 12:
            raise TargetError(
                f"iOS {self.major}.{self.minor} is below 12.0, the lowest version that PEP 730 supports",
                hint="use 12.0 or later",
            )
        if not 0 <= self.minor <= 9:
            raise TargetError(
                f"iOS {self.major}.{self.minor}: installers do not support minor versions above 9",
                hint=f"use {self.major}.0 to {self.major}.9",
            )

    @classmethod
    def parse(cls, text: str) -> IOSVersion:
        """Read ``12.0`` or ``13``.

        Raises:
            TargetError: The text is no iOS version, or one below 12.0.
        """
        found = re.fullmatch(r"(\d{1,3})(?:\.(\d{1,3}))?", text, flags=re.ASCII)
        if found is None:
            raise TargetError(f"{text!r} is not a valid iOS version", hint="expected major.minor, e.g. 12.0")
        return cls(int(found[1]), int(found[2] or 0))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


DEFAULT_IOS_VERSION = IOSVersion(12, 0)
"""PEP 730's floor: a wheel tagged so installs on every iOS Python."""


@dataclass(frozen=True, order=True)
class Target:
    """One wheel's platform: ABI, architecture, minimum iOS version.

    Raises:
        TargetError: x86_64 with ``iphoneos``: no such device exists.
    """

    abi: Abi
    arch: Arch
    ios_version: IOSVersion = DEFAULT_IOS_VERSION

    def __post_init__(self) -> None:
        if self.abi is Abi.IPHONEOS and self.arch is Arch.X86_64:
            raise TargetError(
                "x86_64 is not available for iphoneos: devices are arm64 only",
                hint="use --abi iphonesimulator for x86_64",
            )

    @property
    def is_simulator(self) -> bool:
        """Whether this is for Apple's simulator rather than for a device."""
        return self.abi is Abi.IPHONESIMULATOR

    @property
    def multiarch(self) -> str:
        """``sys.implementation._multiarch``, e.g. ``arm64-iphoneos`` (PEP 730)."""
        return f"{self.arch}-{self.abi}"

    @property
    def platform_tag(self) -> str:
        """The wheel's platform tag, e.g. ``ios_12_0_arm64_iphoneos`` (PEP 730)."""
        return f"ios_{self.ios_version.major}_{self.ios_version.minor}_{self.arch}_{self.abi}"

    @property
    def clang_triple(self) -> str:
        """Clang's ``-target``, e.g. ``arm64-apple-ios12.0-simulator`` (clang's ``Triple``)."""
        return f"{self.arch}-apple-ios{self.ios_version}{'-simulator' if self.is_simulator else ''}"

    @property
    def host_triple(self) -> str:
        """Autoconf's ``--host`` without a version, e.g. ``arm64-apple-ios-simulator`` (``iOS/README.rst``)."""
        return f"{self.arch}-apple-ios{'-simulator' if self.is_simulator else ''}"

    @property
    def slice_name(self) -> str:
        """The XCframework slice that holds this target: ``ios-arm64`` or ``ios-arm64_x86_64-simulator``."""
        return "ios-arm64_x86_64-simulator" if self.is_simulator else "ios-arm64"

    @property
    def effective_ios_version(self) -> IOSVersion:
        """The minimum that binaries carry: arm64 simulators start at iOS 14.0, and clang raises a lower one."""
        if self.is_simulator and self.arch is Arch.ARM64:
            return max(self.ios_version, IOSVersion(14, 0))
        return self.ios_version

    def __str__(self) -> str:
        return self.multiarch


def select_targets(
    abi: str = "all", arch: str = "all", ios_version: IOSVersion = DEFAULT_IOS_VERSION
) -> tuple[Target, ...]:
    """The targets that ``--abi`` and ``--arch`` leave of the three that exist, device first.

    Args:
        abi: An `Abi`'s value, or ``all``.
        arch: An `Arch`'s value, or ``all``.
        ios_version: The minimum iOS version of each.

    Raises:
        TargetError: Nothing is left.
    """
    every = (
        Target(Abi.IPHONEOS, Arch.ARM64, ios_version),
        Target(Abi.IPHONESIMULATOR, Arch.ARM64, ios_version),
        Target(Abi.IPHONESIMULATOR, Arch.X86_64, ios_version),
    )
    chosen = tuple(t for t in every if abi in ("all", t.abi) and arch in ("all", t.arch))
    if not chosen:
        return (Target(Abi(abi), Arch(arch), ios_version),)  # raises with the reason
    return chosen


def parse_multiarch(text: str, ios_version: IOSVersion = DEFAULT_IOS_VERSION) -> Target:
    """Read a multiarch such as ``arm64-iphoneos``.

    Raises:
        TargetError: The text names no target.
    """
    for target in select_targets(ios_version=ios_version):
        if target.multiarch == text:
            return target
    known = ", ".join(t.multiarch for t in select_targets())
    raise TargetError(f"{text!r} is not a valid target", hint=f"valid targets: {known}")
