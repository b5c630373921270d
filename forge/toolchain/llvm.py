"""LLVM on Linux: finding clang, lld and the binary tools, and the toolchain that forge assembles around them."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.errors import ToolchainError
from forge.base.process import output
from forge.base.target import Abi
from forge.toolchain.debian import MINIMUM_LLVM, llvm_install_command

if TYPE_CHECKING:
    from collections.abc import Iterator

TOOLS = (
    "clang",
    "clang++",
    "ld64.lld",
    "llvm-ar",
    "llvm-ranlib",
    "llvm-nm",
    "llvm-strip",
    "llvm-lipo",
    "llvm-otool",
    "llvm-install-name-tool",
    "llvm-libtool-darwin",
    "dsymutil",
)
"""What a directory of LLVM tools must hold to be one that forge can use."""

# The messages are read, so they must be English; clang's configuration files follow HOME and are not.
_PLAIN = {"PATH": os.defpath, "LC_ALL": "C"}


@dataclass(frozen=True)
class LLVM:
    """An installation of LLVM's tools.

    Args:
        bin: The directory that holds all of `TOOLS`, by these names.
        version: The first line of ``clang --version``: release and packaging revision.
        major: The major release.
        resource: clang's own resource directory (its builtin headers).
        libcxx: libc++'s headers of the same release (``include/c++/v1``).
    """

    bin: Path
    version: str
    major: int
    resource: Path
    libcxx: Path


@dataclass(frozen=True)
class Rejected:
    """A place that holds no LLVM that forge can use.

    Args:
        root: The directory above ``bin``.
        reason: Why not, for people.
        outdated: Whether it is only too old.
    """

    root: Path
    reason: str
    outdated: bool = False


def survey(roots: tuple[Path, ...] = ()) -> Iterator[LLVM | Rejected]:
    """Look at each directory that may hold LLVM's tools, newest release first.

    ``FORGE_LLVM`` names one by hand (the directory above ``bin``). Else Debian's and Ubuntu's packages (one directory a
    release, ``/usr/lib/llvm-19``) and what PATH calls ``clang`` are looked at.

    Args:
        roots: Directories above ``bin`` to look at instead.
    """
    if not roots and (named := os.environ.get("FORGE_LLVM")):
        roots = (Path(os.path.abspath(os.path.expanduser(named))),)  # noqa: PTH100, PTH111 - never raises
    if not roots:
        packaged = (p for p in Path("/usr/lib").glob("llvm-*") if (p / "bin" / "clang").exists())
        roots = tuple(sorted(packaged, key=_release, reverse=True))
        if on_path := shutil.which("clang"):
            roots += (Path(on_path).resolve().parent.parent,)
    for root in dict.fromkeys(roots):
        yield _examine(root)


def _examine(root: Path) -> LLVM | Rejected:
    clang = root / "bin" / "clang"
    if not os.access(clang, os.X_OK):
        return Rejected(root, "bin/clang not found")
    return _asked(root, clang.stat().st_mtime_ns)


@cache
def _asked(root: Path, _when: int) -> LLVM | Rejected:
    """What an installation says of itself; asked once, since each answer is a process."""
    directory = root / "bin"
    clang = directory / "clang"
    try:
        version = output([clang, "--version"], env=_PLAIN).partition("\n")[0].strip()
        resource = Path(output([clang, "-print-resource-dir"], env=_PLAIN).strip())
    except ToolchainError as error:
        return Rejected(root, ": ".join(line.strip() for line in error.message.splitlines()))
    found = re.search(r"version (\d+)", version)
    if found is None:
        return Rejected(root, f"no version number in the output of bin/clang --version: {version!r}")
    major = int(found[1])
    if major < MINIMUM_LLVM:
        return Rejected(root, f"{version} is older than {MINIMUM_LLVM}", outdated=True)
    # Apple's clang counts its own releases and ships neither lld nor libc++'s headers beside it.
    if missing := [tool for tool in TOOLS if not os.access(directory / tool, os.X_OK)]:
        return Rejected(root, f"missing: {', '.join(missing)}")
    libcxx = root / "include" / "c++" / "v1"
    if not (libcxx / "__config_site").is_file():
        return Rejected(root, "missing: libc++'s headers (include/c++/v1)")
    return LLVM(directory, version, major, resource, libcxx)


def find_llvm(roots: tuple[Path, ...] = ()) -> LLVM:
    """The newest complete installation.

    Args:
        roots: Directories above ``bin`` to look at instead of the usual ones.

    Raises:
        ToolchainError: No complete installation was found; the hint says how to install one.
    """
    rejected: list[Rejected] = []
    for seen in survey(roots):
        if isinstance(seen, LLVM):
            return seen
        rejected.append(seen)
    command = llvm_install_command()
    raise ToolchainError(
        f"LLVM {MINIMUM_LLVM} or newer with clang, lld and libc++'s headers not found"
        + "".join(f"\n  {r.root}: {r.reason}" for r in rejected),
        hint=f"install it: {command}"
        if command
        else "install it, and set FORGE_LLVM to the directory that contains its bin",
    )


def _release(root: Path) -> int:
    found = re.search(r"(\d+)", root.name)
    return int(found[1]) if found else 0


@dataclass(frozen=True)
class LLVMToolchain:
    """LLVM and an assembled SDK, behind `forge.toolchain.base.Toolchain`.

    Args:
        root: The assembled directory (``bin/xcrun``, ``Platforms``, ``resource``, ``tools``); need not be there yet.
        id: The sha256 over all that decides what is in it (`forge.toolchain.sdk.assemble.describe_toolchain`).
        llvm: The installation that does the work.
    """

    root: Path
    id: str
    llvm: LLVM
    kind: str = "llvm"

    @property
    def description(self) -> str:
        """Names and versions."""
        return f"{self.llvm.version}, SDK {self.id[:12]}"

    @property
    def path(self) -> tuple[Path, ...]:
        """The directory of the xcrun that forge wrote."""
        return (self.root / "bin",)

    def sdk_path(self, abi: Abi) -> Path:
        """The assembled SDK's root."""
        name = "iPhoneOS" if abi is Abi.IPHONEOS else "iPhoneSimulator"
        return self.root / "Platforms" / f"{name}.platform" / "Developer" / "SDKs" / f"{name}.sdk"
