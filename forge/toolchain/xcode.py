"""Xcode on a Mac: the real ``xcrun``, asked what it is. Nothing is assembled and nothing wrapped."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.errors import ToolchainError
from forge.base.hashing import fingerprint
from forge.base.process import output
from forge.base.target import Abi

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_HINT = "install Xcode from the App Store, then run: sudo xcode-select --switch /Applications/Xcode.app"


@dataclass(frozen=True)
class XcodeToolchain:
    """An installed Xcode, behind `forge.toolchain.base.Toolchain`.

    Args:
        xcrun: Apple's xcrun.
        version: What ``xcrun clang --version`` says first: clang's release and build.
        sdks: Each ABI's SDK: version, build, path.
    """

    xcrun: Path
    version: str
    sdks: tuple[tuple[Abi, str, str, Path], ...]
    kind: str = "xcode"

    @property
    def id(self) -> str:
        """Compiler and SDK builds decide what is compiled; their place on the disk does not."""
        return fingerprint({"clang": self.version, "sdks": [[str(a), v, b] for a, v, b, _ in self.sdks]})

    @property
    def description(self) -> str:
        """Names and versions."""
        return f"{self.version}, " + ", ".join(f"{abi} SDK {version}" for abi, version, _, _ in self.sdks)

    @property
    def path(self) -> tuple[Path, ...]:
        """The directory of xcrun."""
        return (self.xcrun.parent,)

    def sdk_path(self, abi: Abi) -> Path:
        """As ``xcrun --show-sdk-path`` printed it."""
        return next(path for known, _, _, path in self.sdks if known is abi)


def find_xcode(
    xcrun: Path = Path("/usr/bin/xcrun"),
    platform: str = sys.platform,
    says: Callable[[Sequence[str]], str] = output,
) -> XcodeToolchain:
    """Xcode as ``xcrun`` describes it.

    Args:
        xcrun: The program to ask.
        platform: ``sys.platform`` of the build machine.
        says: Runs a command and returns what it prints, as `forge.base.process.output` does.

    Raises:
        ToolchainError: This is not a Mac, or Xcode is not installed (the command line tools alone have no iOS SDK).
    """
    if platform != "darwin":
        raise ToolchainError(
            "Xcode is only available on macOS", hint="on this system forge uses LLVM; run 'forge doctor'"
        )
    try:
        # The command line tools alone have no iOS SDK: they answer none of these.
        version = says([str(xcrun), "--sdk", "iphoneos", "clang", "--version"]).partition("\n")[0].strip()
        sdks = tuple(
            (
                abi,
                says([str(xcrun), "--sdk", abi.value, "--show-sdk-version"]).strip(),
                says([str(xcrun), "--sdk", abi.value, "--show-sdk-build-version"]).strip(),
                Path(says([str(xcrun), "--sdk", abi.value, "--show-sdk-path"]).strip()),
            )
            for abi in Abi
        )
    except ToolchainError as error:
        raise ToolchainError(f"Xcode with the iOS SDKs is not usable: {error}", hint=_HINT) from error
    if not version or not all(number and build and path.name for _, number, build, path in sdks):
        raise ToolchainError(f"Xcode with the iOS SDKs is not usable: the output of {xcrun} is empty", hint=_HINT)
    return XcodeToolchain(xcrun, version, sdks)
