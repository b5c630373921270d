"""What a toolchain is to the rest of forge: a directory with ``xcrun`` in it, and an identity.

Everything downstream (CPython's compiler wrappers, its sysconfig, Meson, CMake, OpenSSL, Rust) finds Apple's tools by
running ``xcrun --sdk {iphoneos,iphonesimulator} TOOL``. With Xcode that is Apple's; on Linux it is a script that forge
writes. Nothing else tells the two apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from forge.base.target import Abi


class Toolchain(Protocol):
    """A usable toolchain."""

    @property
    def kind(self) -> str:
        """``llvm`` or ``xcode``."""

    @property
    def id(self) -> str:
        """What identifies everything in it that can change a compiled file; enters fingerprints."""

    @property
    def description(self) -> str:
        """One line for people: names and versions."""

    @property
    def path(self) -> tuple[Path, ...]:
        """Directories for PATH, ``xcrun``'s first. They hold no compiler for the build machine."""

    def sdk_path(self, abi: Abi) -> Path:
        """The SDK's root directory, as ``xcrun --show-sdk-path`` prints it."""
