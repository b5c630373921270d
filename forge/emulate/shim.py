"""The shim for a CPU: the one that came with forge's wheel, or one compiled into the cache.

emulate/shim/<arch>-<fingerprint>/forge-shim-<arch>-<sources>.so
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from forge.base.atomic import atomic_directory, locked
from forge.base.errors import ToolchainError
from forge.base.hashing import fingerprint
from forge.base.process import output
from forge.base.target import Arch
from forge.emulate import shim_compile

if TYPE_CHECKING:
    from pathlib import Path

    from forge.base.paths import ForgeHome

LINUX_MACHINES = {Arch.ARM64: "aarch64", Arch.X86_64: "x86_64"}
"""CPUs by the name that Linux, compilers' triples and wheels' tags have for them."""


def shim_path(home: ForgeHome, arch: Arch, *, sysroot: Path | None = None, clang: Path | None = None) -> Path:
    """The shared object with Darwin's system interface and the loader's C half for Linux on a CPU.

    Args:
        home: The cache.
        arch: The CPU of the wheels that are to run, and of the Linux Python that runs them.
        sysroot: A root directory with that Linux's headers and libraries; needed where the CPU is not this machine's.
        clang: The clang, with lld beside it, that compiles for that root; by default the one on PATH.

    Raises:
        ToolchainError: There is no C compiler, or it cannot compile the shim.
    """
    name = shim_compile.file_name(arch)
    built = shim_compile.NATIVE / name
    if sysroot is None and built.is_file():
        return built
    compile_with = _compiler(arch, sysroot, clang)
    version = output([compile_with[0], "--version"], env={**os.environ, "LC_ALL": "C"}).partition("\n")[0]
    key = fingerprint({"name": name, "compiler": compile_with, "version": version})
    destination = home.root / "emulate" / "shim" / f"{arch}-{key[:16]}"
    with locked(home.locks, f"shim-{destination.name}"):
        if not (destination / name).is_file():
            with atomic_directory(destination) as temporary:
                output(shim_compile.command(compile_with, temporary / name), timeout=600)
    return destination / name


def _compiler(arch: Arch, sysroot: Path | None, clang: Path | None) -> list[str]:
    """The compiler with the arguments that choose the machine."""
    if sysroot is None and arch == shim_compile.host_arch():
        return shim_compile.compiler()
    if sysroot is None:
        raise ToolchainError(
            f"the shim for {arch} cannot be compiled here without that machine's headers and libraries",
            hint="pass a sysroot: the root directory of a Linux system for that CPU",
        )
    found = clang or shutil.which("clang")
    if found is None:
        raise ToolchainError("compiling for another machine requires clang and lld", hint="run 'forge doctor'")
    return [str(found), f"--target={LINUX_MACHINES[arch]}-linux-gnu", f"--sysroot={sysroot}", "-fuse-ld=lld"]
