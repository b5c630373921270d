"""What an iOS Python is to the rest of forge: what a wheel build reads, whoever provides it.

A wheel build reads headers, ``pyconfig.h``, sysconfig data and the names that ``Python.framework`` exports, and none of
Python's machine code. All of that but the headers is data of forge's own (`forge.ios_python.interface`), so that wheels
do not depend on the provider, nor on the patch release. Laid out as in CPython's packages for iOS::

    ios-arm64/                              a slice: one ABI, one or two architectures
        Python.framework/                   Python.tbd, Headers
        bin/                                compiler wrappers (arm64-apple-ios-clang …)
        include/python3.13                  -> the framework's Headers
        lib-arm64/python3.13/               _sysconfigdata of one architecture
    ios-arm64_x86_64-simulator/
        …
        lib-arm64/, lib-x86_64/
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from forge.base.errors import IOSPythonError

if TYPE_CHECKING:
    from pathlib import Path

    from forge.base.target import Target
    from forge.ios_python.product import XCFramework


NOT_ON_IOS = (
    "_curses", "_curses_panel", "_gdbm", "_multiprocessing", "_posixshmem", "_posixsubprocess", "_scproxy", "_tkinter",
    "grp", "nis", "readline", "pwd", "spwd", "syslog",
)  # fmt: skip
"""Extension modules that upstream's configure leaves out for iOS (``py_stdlib_not_available``)."""


class Provider(StrEnum):
    """Where an iOS Python comes from."""

    OFFICIAL = "official"
    """Published by python.org, BeeWare or others, and added by the user."""
    BUILT = "built"
    """Compiled by forge from CPython's source."""
    ASSEMBLED = "assembled"
    """Headers of a release and forge's own data: enough for wheels, nothing to run."""


@dataclass(frozen=True)
class IOSPython:
    """An iOS Python that wheels are built against.

    Args:
        root: The tree that builds read; need not be there yet (`forge.ios_python.choose.describe_python`).
        version: The release that the headers are of, e.g. ``3.13.5``.
        targets: What it is there for, each with its minimum iOS version.
        fingerprints: What of it can change a wheel of each target; by multiarch.
        nominal_version: The release that markers are evaluated for, whatever the headers are of; empty for *version*.
        provider: Where it comes from.
        product: The Python for apps that it belongs to; None for an assembled one.
    """

    root: Path
    version: str
    targets: tuple[Target, ...]
    fingerprints: tuple[tuple[str, str], ...] = ()
    nominal_version: str = ""
    provider: Provider = Provider.ASSEMBLED
    product: XCFramework | None = None

    @property
    def full_version(self) -> str:
        """The version to evaluate markers for (PEP 508's ``python_full_version``)."""
        return self.nominal_version or self.version

    @property
    def minor(self) -> str:
        """The minor version, e.g. ``3.13``."""
        return ".".join(self.version.split(".")[:2])

    @property
    def python_tag(self) -> str:
        """The wheel's Python tag, e.g. ``cp313`` (PEP 425)."""
        return "cp" + self.minor.replace(".", "")

    def slice(self, target: Target) -> Path:
        """The directory of a target's ABI."""
        return self.root / target.slice_name

    def wrappers(self, target: Target) -> Path:
        """The directory of the compiler wrappers."""
        return self.slice(target) / "bin"

    def headers(self, target: Target) -> Path:
        """The C API's headers."""
        return self.slice(target) / "Python.framework" / "Headers"

    def stub(self, target: Target) -> Path:
        """What linkers read in place of ``Python.framework/Python``."""
        return self.slice(target) / "Python.framework" / "Python.tbd"

    def sysconfigdata(self, target: Target) -> Path:
        """The target's ``_sysconfigdata`` module (CPython's ``sysconfig``)."""
        library = self.slice(target) / f"lib-{target.arch}" / f"python{self.minor}"
        return library / f"_sysconfigdata__ios_{target.multiarch}.py"

    def has(self, target: Target) -> bool:
        """Whether wheels for *target* can be built: it has the target's ABI and architecture."""
        return any(t.multiarch == target.multiarch for t in self.targets)

    def absent_modules(self, target: Target) -> tuple[str, ...]:
        """Extension modules that Python has elsewhere and this one lacks; an assembled one stands for upstream's."""
        present = () if self.product is None else self.product.extension_modules(target)
        return tuple(name for name in NOT_ON_IOS if name not in present)

    def fingerprint(self, target: Target) -> str:
        """What of this Python can change a wheel; the same for every provider and patch release.

        Raises:
            IOSPythonError: It is not there for this target.
        """
        for multiarch, value in self.fingerprints:
            if multiarch == target.multiarch:
                return value
        raise IOSPythonError(
            f"the {self.provider} Python {self.version} does not contain {target.multiarch}",
            hint="run 'forge python list' for what there is, or choose another with --python-from",
        )

    def require_product(self) -> XCFramework:
        """The Python for apps.

        Raises:
            IOSPythonError: It is an assembled one, which has no machine code.
        """
        if self.product is None:
            raise IOSPythonError(
                f"Python {self.version} is assembled for building wheels and cannot run in an app",
                hint=f"run 'forge python build {self.minor}', or add an official one with 'forge python add'",
            )
        return self.product
