"""LLVM on Linux: finding clang, lld and the binary tools, and the toolchain that forge assembles around them."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from forge.base.errors import ToolchainError
from forge.base.process import output
from forge.base.target import Abi
from forge.toolchain.data import load_yaml

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

MINIMUM_LLVM: int = load_yaml("sdk.yaml")["minimum_llvm"]
"""The lowest major release that forge was tried with."""


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
class Candidate:
    """A place that was looked at: what is missing there, or nothing."""

    bin: Path
    major: int
    missing: tuple[str, ...]


def candidates(roots: tuple[Path, ...] = ()) -> tuple[Candidate, ...]:
    """Directories that may hold LLVM's tools, newest release first.

    ``FORGE_LLVM`` names one by hand (the directory above ``bin``). Else Debian's and Ubuntu's packages (one directory a
    release, ``/usr/lib/llvm-19``), Homebrew's and PATH are looked at.

    Args:
        roots: Directories above ``bin`` to look at instead, for tests.
    """
    if not roots and (named := os.environ.get("FORGE_LLVM")):
        roots = (Path(named),)
    if not roots:
        roots = tuple(sorted(Path("/usr/lib").glob("llvm-*"), key=_release, reverse=True))
        if on_path := shutil.which("clang"):
            roots += (Path(on_path).resolve().parent.parent,)
    found: dict[Path, Candidate] = {}
    for root in roots:
        directory = root / "bin"
        if (directory / "clang").exists() or os.environ.get("FORGE_LLVM"):
            missing = tuple(t for t in TOOLS if not os.access(directory / t, os.X_OK))
            found.setdefault(directory, Candidate(directory, _release(root), missing))
    return tuple(found.values())


def find_llvm() -> LLVM:
    """The newest complete installation.

    Raises:
        ToolchainError: There is none, or only ones that are too old or lack a tool; says how to install it.
    """
    looked: list[str] = []
    for candidate in candidates():
        if candidate.missing:
            looked.append(f"{candidate.bin}: lacks {', '.join(candidate.missing)}")
            continue
        version = output([candidate.bin / "clang", "--version"]).splitlines()[0].strip()
        found = re.search(r"version (\d+)", version)
        major = int(found[1]) if found else 0
        if major < MINIMUM_LLVM:
            looked.append(f"{candidate.bin}: {version} is older than {MINIMUM_LLVM}")
            continue
        libcxx = candidate.bin.parent / "include" / "c++" / "v1"
        if not (libcxx / "__config_site").is_file():
            looked.append(f"{candidate.bin.parent}: lacks libc++'s headers (include/c++/v1)")
            continue
        resource = Path(output([candidate.bin / "clang", "-print-resource-dir"]).strip())
        return LLVM(candidate.bin, version, major, resource, libcxx)
    raise ToolchainError(
        f"no LLVM {MINIMUM_LLVM} or newer with clang, lld and libc++'s headers"
        + "".join(f"\n  {line}" for line in looked),
        hint=f"install it: {install_command()}",
    )


def install_command(release: int = MINIMUM_LLVM) -> str:
    """The command that installs what `find_llvm` looks for, on Debian and Ubuntu."""
    packages = " ".join(f"{name}" for name in debian_packages(release))
    return f"{'' if os.geteuid() == 0 else 'sudo '}apt-get install --yes {packages}"


def debian_packages(release: int = MINIMUM_LLVM) -> tuple[str, ...]:
    """Debian's packages of LLVM's tools and libc++'s headers."""
    return (
        f"clang-{release}",
        f"lld-{release}",
        f"llvm-{release}",
        f"libc++-{release}-dev",
        f"libc++abi-{release}-dev",
    )


def _release(root: Path) -> int:
    found = re.search(r"(\d+)", root.name)
    return int(found[1]) if found else 0


@dataclass(frozen=True)
class LLVMToolchain:
    """LLVM and an assembled SDK, behind `forge.toolchain.base.Toolchain`.

    Args:
        root: The assembled directory (``bin/xcrun``, ``Platforms``, ``resource``, ``tools``).
        id: The sha256 over the SDK, the compiler runtime, the seam and LLVM's version.
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
