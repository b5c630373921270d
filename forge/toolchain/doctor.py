"""Does this machine have what forge needs, and which command installs what it lacks?

The checks ask the machine through a `Machine`, so that a test can answer for one. Their ids are stable: scripts may
rely on them (``schemas/doctor.schema.json``).
"""

from __future__ import annotations

import dataclasses
import enum
import json
import os
import shutil
import sys
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING

from forge.base.errors import ToolchainError
from forge.base.process import output
from forge.toolchain.build_tools import SYSTEM_PATH, find_tool
from forge.toolchain.debian import MINIMUM_LLVM, Apt, ask_apt, debian_packages, install_command, llvm_packages
from forge.toolchain.fortran import Flang, find_flang
from forge.toolchain.llvm import LLVM, Rejected, survey
from forge.toolchain.rust import Rust, find_rust
from forge.toolchain.sdk.assemble import describe_toolchain, is_assembled
from forge.toolchain.xcode import find_xcode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from forge.base.paths import ForgeHome

JSON_VERSION = 1
"""Goes up when a field changes its meaning or goes away."""

WANTED_SPACE = 10 * 1000**3
"""Bytes: the toolchain, an iOS Python for three targets and its build Python take about 3 GB, a large build as much."""

# Program, what it is for, Debian's package.
_PROGRAMS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("cc", "C compiler for the build machine", ("gcc",)),
    ("make", "make", ("make",)),
    ("patch", "patch, for recipes' patches", ("patch",)),
    ("git", "git, for sources in repositories", ("git",)),
    ("perl", "Perl, for OpenSSL's Configure", ("perl",)),
    ("tclsh", "Tcl, for SQLite's source", ("tcl",)),
    ("pkg-config", "pkg-config, to find native libraries", ("pkgconf",)),
    ("tar", "tar", ()),  # Debian's is essential: no system is without it
    ("xz", "xz, for sources packed with it", ("xz-utils",)),
)

# Id, the header that shows it is there, what needs it, Debian's package.
_HEADERS = (
    ("libc", "stdio.h", "programs of the build machine", "libc6-dev"),
    ("openssl", "openssl/ssl.h", "the build Python's ssl module", "libssl-dev"),
    ("zlib", "zlib.h", "the build Python's zlib module", "zlib1g-dev"),
    ("libffi", "ffi.h", "the build Python's ctypes module", "libffi-dev"),
    ("bzip2", "bzlib.h", "the build Python's bz2 module", "libbz2-dev"),
    ("xz", "lzma.h", "the build Python's lzma module", "liblzma-dev"),
)


class Status(enum.StrEnum):
    """What a check found. `OPTIONAL`: not as it might be, and forge works all the same."""

    OK = "ok"
    MISSING = "missing"
    OUTDATED = "outdated"
    OPTIONAL = "optional"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Args:
        id: Stable, e.g. ``llvm`` or ``header.zlib``.
        title: What it is, for people.
        status: What was found.
        found: The version, path or amount that was found, or what is wrong.
        remedy: The exact command that fixes it; None if there is nothing to fix, or no single command does.
        packages: The Debian packages that fix it.
    """

    id: str
    title: str
    status: Status
    found: str
    remedy: str | None = None
    packages: tuple[str, ...] = ()

    @property
    def is_fine(self) -> bool:
        """Whether forge works with what was found."""
        return self.status in {Status.OK, Status.OPTIONAL}


def _which(program: str) -> str | None:
    # Builds see no other PATH, so a program that only the user's PATH has is of no use to them.
    found = find_tool(program)
    return None if found is None else str(found)


def _free_bytes(directory: Path) -> int:
    existing = next(p for p in (directory, *directory.parents) if p.exists())
    return shutil.disk_usage(existing).free


def _is_root() -> bool:
    return os.geteuid() == 0


@dataclass(frozen=True)
class Machine:
    """The build machine, as the checks see it.

    Args:
        platform: As ``sys.platform``.
        is_root: Whether this runs as root.
        which: The path of a program where builds look for it, or None.
        says: Runs a command and returns what it prints; raises `ToolchainError`.
        free_bytes: The space left on a directory's disk; raises OSError.
        llvm: LLVM's installations and what is wrong with the others, as `forge.toolchain.llvm.survey` gives them.
        rust: The Rust to compile with; raises `ToolchainError`.
        flang: The Fortran compiler; raises `ToolchainError`.
        has_ensurepip: Whether the Python that forge runs on can make virtual environments.
    """

    platform: str = sys.platform
    is_root: bool = field(default_factory=_is_root)
    which: Callable[[str], str | None] = _which
    says: Callable[[Sequence[str]], str] = output
    free_bytes: Callable[[Path], int] = _free_bytes
    llvm: Callable[[], Iterable[LLVM | Rejected]] = survey
    rust: Callable[[], Rust] = find_rust
    flang: Callable[[], Flang] = find_flang
    has_ensurepip: bool = field(default_factory=lambda: find_spec("ensurepip") is not None)

    @cached_property
    def apt(self) -> Apt | None:
        """What apt offers; None where there is no apt. Asked once: it reads lists of many megabytes."""
        return None if self.which("apt-get") is None else ask_apt(self.says)

    def install(self, packages: Iterable[str]) -> str | None:
        """The command that installs Debian's packages; None without any, or where there is no apt."""
        if self.apt is None:
            return None
        has_sudo = self.which("sudo") is not None
        return install_command(packages, is_root=self.is_root, has_sudo=has_sudo, update=not self.apt.has_lists)


def examine(home: ForgeHome, machine: Machine | None = None) -> tuple[Check, ...]:
    """Everything that forge needs of this machine.

    Args:
        home: The cache.
        machine: Who answers; the machine that this runs on by default.

    Returns:
        The checks, in the order to show them. Never raises for what is missing.
    """
    machine = machine or Machine()
    checks = _examine_mac(machine) if machine.platform == "darwin" else _examine_linux(home, machine)
    return (*checks, _check_space(home, machine))


def missing_packages(checks: Iterable[Check]) -> tuple[str, ...]:
    """The Debian packages that fix every failed check, without duplicates."""
    return tuple(dict.fromkeys(package for check in checks if not check.is_fine for package in check.packages))


def remedy(checks: Sequence[Check], machine: Machine | None = None) -> str | None:
    """The command that installs everything that is missing; None if nothing is missing or apt is not available."""
    return (machine or Machine()).install(missing_packages(checks))


def to_json(checks: Sequence[Check], machine: Machine | None = None) -> str:
    """The checks as JSON, in the form of ``schemas/doctor.schema.json``."""
    rows = []
    for check in checks:
        row = dataclasses.asdict(check)
        row["packages"] = list(check.packages)
        rows.append(row)
    document = {
        "version": JSON_VERSION,
        "ok": all(check.is_fine for check in checks),
        "remedy": remedy(checks, machine),
        "checks": rows,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _examine_linux(home: ForgeHome, machine: Machine) -> tuple[Check, ...]:
    llvm, check = _check_llvm(machine)
    programs = [_check_program(*row, machine) for row in _PROGRAMS]
    headers = [_check_header(*row, machine) for row in _HEADERS]
    return (
        check,
        *programs,
        *headers,
        _check_venv(machine),
        _check_rust(machine),
        _check_flang(machine),
        _check_sdk(home, llvm),
    )


def _examine_mac(machine: Machine) -> tuple[Check, ...]:
    switch = "sudo xcode-select --switch /Applications/Xcode.app"
    try:
        selected = machine.says(["/usr/bin/xcode-select", "--print-path"]).strip()
        chosen = Check("xcode-select", "selected developer directory", Status.OK, selected)
        if "CommandLineTools" in selected:
            # Apple's command line tools alone have macOS's SDK only.
            found = f"{selected} has no iOS SDK"
            chosen = dataclasses.replace(chosen, status=Status.MISSING, found=found, remedy=switch)
    except ToolchainError as error:
        chosen = Check("xcode-select", "selected developer directory", Status.MISSING, _first_line(error), switch)
    try:
        xcode = find_xcode(platform=machine.platform, says=machine.says)
        usable = Check("xcode", "Xcode with the iOS SDKs", Status.OK, xcode.description)
    except ToolchainError as error:
        usable = Check("xcode", "Xcode with the iOS SDKs", Status.MISSING, _first_line(error), switch)
    return (chosen, usable, *(_check_program(*row, machine) for row in _PROGRAMS))


def _check_llvm(machine: Machine) -> tuple[LLVM | None, Check]:
    title = f"LLVM {MINIMUM_LLVM} or newer: clang, lld, binary tools, libc++ headers"
    rejected = []
    for seen in machine.llvm():
        if isinstance(seen, LLVM):
            return seen, Check("llvm", title, Status.OK, f"{seen.version}, {seen.bin}")
        rejected.append(seen)
    outdated = bool(rejected) and all(r.outdated for r in rejected)
    found = "; ".join(f"{r.root}: {r.reason}" for r in rejected) or "not found"
    status = Status.OUTDATED if outdated else Status.MISSING
    if machine.apt is None:
        return None, Check("llvm", title, status, found)
    if machine.apt.llvm is None:
        found += f"; apt offers no LLVM {MINIMUM_LLVM} or newer: install it manually and set FORGE_LLVM"
        return None, Check("llvm", title, status, found)
    packages = llvm_packages(machine.apt.llvm)
    return None, Check("llvm", title, status, found, machine.install(packages), packages)


def _check_program(name: str, title: str, packages: tuple[str, ...], machine: Machine) -> Check:
    if (path := machine.which(name)) is not None:
        return Check(f"program.{name}", title, Status.OK, path)
    found = f"{name} not found in {', '.join(SYSTEM_PATH)}"
    if machine.platform == "darwin":
        return Check(f"program.{name}", title, Status.MISSING, found, "xcode-select --install")
    return Check(f"program.{name}", title, Status.MISSING, found, machine.install(packages), packages)


def _check_header(name: str, header: str, purpose: str, package: str, machine: Machine) -> Check:
    title = f"{header}, for {purpose}"
    if (cc := machine.which("cc")) is None:
        found = "cannot be checked without a C compiler"
    else:
        try:
            # Preprocessing reads what the header includes as well, and takes no library.
            machine.says([cc, "-E", "-x", "c", "-include", header, os.devnull])
            return Check(f"header.{name}", title, Status.OK, "found")
        except ToolchainError:
            found = f"not found by {cc}"
    return Check(f"header.{name}", title, Status.MISSING, found, machine.install((package,)), (package,))


def _check_venv(machine: Machine) -> Check:
    title = "virtual environments (venv and ensurepip)"
    if machine.has_ensurepip:
        return Check("venv", title, Status.OK, "found")
    packages = ("python3-venv",)
    return Check("venv", title, Status.MISSING, "ensurepip is missing", machine.install(packages), packages)


def _check_rust(machine: Machine) -> Check:
    title = "Rust, for recipes that use it"
    try:
        rust = machine.rust()
    except ToolchainError as error:
        return Check("rust", title, Status.OPTIONAL, f"{_first_line(error)}; {error.hint}")
    return Check("rust", title, Status.OK, f"{rust.version}, {rust.rustc}")


def _check_flang(machine: Machine) -> Check:
    title = "Fortran (LLVM's flang), for recipes that use it"
    try:
        flang = machine.flang()
    except ToolchainError as error:
        packages = tuple(name for name in debian_packages() if name.startswith("flang-"))
        return Check("flang", title, Status.OPTIONAL, _first_line(error), machine.install(packages), packages)
    return Check("flang", title, Status.OK, f"{flang.version}, {flang.program}")


def _check_sdk(home: ForgeHome, llvm: LLVM | None) -> Check:
    title = "assembled iOS SDK"
    toolchain = describe_toolchain(home, llvm) if llvm else None
    if toolchain is None or not is_assembled(toolchain):
        return Check(
            "sdk", title, Status.OPTIONAL, "not assembled yet; the first build does that", "forge toolchain install"
        )
    return Check("sdk", title, Status.OK, f"{toolchain.root}, id {toolchain.id[:12]}")


def _check_space(home: ForgeHome, machine: Machine) -> Check:
    title = f"{WANTED_SPACE // 1000**3} GB of free disk space"
    try:
        free = machine.free_bytes(home.root)
    except OSError as error:
        return Check("disk", title, Status.MISSING, f"{home.root}: {error.strerror}")
    enough = free >= WANTED_SPACE
    found = f"{free / 1000**3:.1f} GB at {home.root}"
    return Check("disk", title, Status.OK if enough else Status.OPTIONAL, found)


def _first_line(error: ToolchainError) -> str:
    return error.message.partition("\n")[0]
