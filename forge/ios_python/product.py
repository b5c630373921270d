"""A ``Python.xcframework`` on disk, and where things are in it: what apps embed, with machine code.

The layout is that of CPython's own iOS packages (``Apple/__main__.py`` of CPython, BeeWare's support packages)::

    Python.xcframework/
        Info.plist
        lib/python3.13/                     the standard library, once
        ios-arm64/                          a slice: one ABI, one or two architectures
            Python.framework/               Python (thin or fat), Headers, Info.plist
            bin/                            compiler wrappers (arm64-apple-ios-clang …)
            include/python3.13              -> the framework's Headers
            lib-arm64/python3.13/           lib-dynload and _sysconfigdata of one architecture
        ios-arm64_x86_64-simulator/
            …
            lib-arm64/, lib-x86_64/
"""

from __future__ import annotations

import plistlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forge.base.errors import IOSPythonError
from forge.base.target import Abi, Arch, IOSVersion, Target, TargetError
from forge.ios_python.headers_release import read_release

_DAMAGED = "the XCframework is damaged; delete it, and build or add it again"

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class XCFramework:
    """A Python for apps.

    Args:
        root: The XCframework's directory.
        version: The full version, e.g. ``3.13.5``.
        targets: What it is there for, each with the minimum iOS version that it was built for.
    """

    root: Path
    version: str
    targets: tuple[Target, ...]

    @property
    def minor(self) -> str:
        """The minor version, e.g. ``3.13``."""
        return ".".join(self.version.split(".")[:2])

    @property
    def stdlib(self) -> Path:
        """The standard library that all targets share."""
        return self.root / "lib" / f"python{self.minor}"

    def slice(self, target: Target) -> Path:
        """The directory of a target's ABI."""
        return self.root / target.slice_name

    def wrappers(self, target: Target) -> Path:
        """The directory of the compiler wrappers."""
        return self.slice(target) / "bin"

    def headers(self, target: Target) -> Path:
        """The C API's headers."""
        return self.slice(target) / "Python.framework" / "Headers"

    def platform_lib(self, target: Target) -> Path:
        """The target's own part of the standard library: ``lib-dynload`` and sysconfig data."""
        return self.slice(target) / f"lib-{target.arch}" / f"python{self.minor}"

    def sysconfigdata(self, target: Target) -> Path:
        """The target's ``_sysconfigdata`` module (CPython's ``sysconfig``)."""
        return self.platform_lib(target) / f"_sysconfigdata__ios_{target.multiarch}.py"

    def extension_modules(self, target: Target) -> tuple[str, ...]:
        """The names of the extension modules in ``lib-dynload``, sorted."""
        files = (self.platform_lib(target) / "lib-dynload").glob("*.so")
        return tuple(sorted({path.name.partition(".")[0] for path in files}))


def read_xcframework(root: Path) -> XCFramework:
    """Describe an XCframework in CPython's layout by looking at it.

    Raises:
        IOSPythonError: It is not one, or is incomplete.
    """
    versions = sorted(root.glob("ios-*/Python.framework/Headers/patchlevel.h"))
    if not versions:
        raise IOSPythonError(f"{root} is not a Python.xcframework", hint="it must contain ios-arm64/Python.framework")
    try:
        version = read_release(versions[0].parent)
    except IOSPythonError as error:
        raise IOSPythonError(error.message, hint=_DAMAGED) from error
    targets: list[Target] = []
    for abi, arch in (
        (Abi.IPHONEOS, Arch.ARM64),
        (Abi.IPHONESIMULATOR, Arch.ARM64),
        (Abi.IPHONESIMULATOR, Arch.X86_64),
    ):
        candidate = Target(abi, arch)
        directory = root / candidate.slice_name
        data = list(directory.glob(f"lib-{arch}/python*/_sysconfigdata__ios_{candidate.multiarch}.py"))
        if data:
            targets.append(Target(abi, arch, _minimum(directory / "Python.framework" / "Info.plist")))
    if not targets:
        raise IOSPythonError(
            f"{root} does not contain sysconfig data for any target",
            hint="the XCframework is incomplete; build or add it again",
        )
    return XCFramework(root, version, tuple(targets))


def _minimum(plist: Path) -> IOSVersion:
    try:
        data: Any = plistlib.loads(plist.read_bytes())
    except OSError as error:
        raise IOSPythonError(f"cannot read {plist}: {error.strerror}", hint=_DAMAGED) from error
    except Exception as error:
        raise IOSPythonError(f"{plist} is not a valid property list: {error}", hint=_DAMAGED) from error
    minimum = data.get("MinimumOSVersion") if isinstance(data, dict) else None
    try:
        return IOSVersion.parse(str(minimum))
    except TargetError as error:
        raise IOSPythonError(f"{plist}: MinimumOSVersion: {error.message}", hint=_DAMAGED) from error
