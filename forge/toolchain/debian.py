"""Debian's and Ubuntu's packages: which ones forge needs, which LLVM apt offers, the command that installs them.

The names are in ``data/debian-packages.txt``, which the scripts that set up a machine read too.
"""

from __future__ import annotations

import os
import re
import shutil
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.base.errors import ToolchainError
from forge.base.process import output
from forge.toolchain.data import data_path, load_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MINIMUM_LLVM: int = load_yaml("sdk.yaml")["minimum_llvm"]
"""The lowest major release that forge works with, and the one that it was tried with most."""

_LLVM_PACKAGE = re.compile(r"(clang|lld|llvm|libc\+\+|libc\+\+abi)-(\d+)(-dev)?")


def debian_packages() -> tuple[str, ...]:
    """Every package that forge needs, as ``data/debian-packages.txt`` lists them."""
    lines = data_path("debian-packages.txt").read_text(encoding="utf-8").splitlines()
    return tuple(name for line in lines if (name := line.partition("#")[0].strip()))


def llvm_packages(release: int = MINIMUM_LLVM) -> tuple[str, ...]:
    """The packages of LLVM's tools and libc++'s headers.

    Args:
        release: LLVM's major release.
    """
    found = (_LLVM_PACKAGE.fullmatch(name) for name in debian_packages())
    return tuple(f"{match[1]}-{release}{match[3] or ''}" for match in found if match)


@dataclass(frozen=True)
class Apt:
    """What apt's package lists offer.

    Args:
        has_lists: Whether it knows of any LLVM at all; it does not before the first ``apt-get update``.
        llvm: The release to install: `MINIMUM_LLVM` where it is offered, since forge was tried with it most, else the
            newest that is offered with libc++'s headers; None: every one offered is too old.
    """

    has_lists: bool
    llvm: int | None


def ask_apt(says: Callable[[Sequence[str]], str] = output) -> Apt:
    """Which LLVM apt offers. Where it cannot be asked, that is `MINIMUM_LLVM`.

    Args:
        says: Runs a command and returns what it prints, as `forge.base.process.output` does.
    """
    pattern = r"^(clang|lld|llvm|libc\+\+|libc\+\+abi)-[0-9]+(-dev)?$"
    try:
        lines = says(["apt-cache", "search", "--names-only", pattern]).splitlines()
    except ToolchainError:
        return Apt(has_lists=False, llvm=MINIMUM_LLVM)
    offered: defaultdict[int, set[str]] = defaultdict(set)
    for line in lines:
        name = line.partition(" ")[0]
        if match := _LLVM_PACKAGE.fullmatch(name):
            offered[int(match[2])].add(name)
    if not offered:
        return Apt(has_lists=False, llvm=MINIMUM_LLVM)
    whole = {n for n, names in offered.items() if n >= MINIMUM_LLVM and names.issuperset(llvm_packages(n))}
    return Apt(has_lists=True, llvm=MINIMUM_LLVM if MINIMUM_LLVM in whole else max(whole, default=None))


def install_command(packages: Iterable[str], *, is_root: bool, has_sudo: bool, update: bool = False) -> str | None:
    """The command that installs packages, or None if there are none to install.

    Args:
        packages: Debian's names.
        is_root: Whether it will run as root; else ``sudo`` is put before it.
        has_sudo: Whether there is a ``sudo``; without, the command says that root must run it.
        update: Whether apt must fetch its package lists first.
    """
    if not (names := " ".join(dict.fromkeys(packages))):
        return None
    prefix = "sudo " if has_sudo and not is_root else ""
    command = f"{prefix}apt-get update && " if update else ""
    command += f"{prefix}apt-get install --yes {names}"
    return command if is_root or has_sudo else f"{command}  # run this as root"


def llvm_install_command() -> str | None:
    """The command that installs LLVM on this machine; None where there is no apt, or it offers none that will do."""
    if shutil.which("apt-get") is None:
        return None
    apt = ask_apt()
    return install_command(
        llvm_packages(apt.llvm) if apt.llvm else (),
        is_root=os.geteuid() == 0,
        has_sudo=shutil.which("sudo") is not None,
        update=not apt.has_lists,
    )
