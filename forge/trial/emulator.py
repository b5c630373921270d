"""What runs Mach-O code here: a Linux Python, the shim, libc++, and forge's runtime on its path."""

from __future__ import annotations

import platform
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import forge
from forge.base.errors import ToolchainError, TrialError
from forge.base.target import Arch, IOSVersion, Target
from forge.emulate.guest import ensure_guest, require_qemu
from forge.emulate.libcxx import ensure_libcxx, names_libcxx
from forge.emulate.openblas import ensure_openblas, loaded_names, names_accelerate
from forge.emulate.runtime.child import SITECUSTOMIZE
from forge.emulate.runtime.config import LoaderConfig
from forge.emulate.runtime.guise import Guise
from forge.emulate.session import Emulator
from forge.emulate.shim import shim_path
from forge.toolchain.llvm import LLVMToolchain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.base.progress import Progress
    from forge.crossbuild.context import BuildContext

ANSWERED_VERSION = IOSVersion(18, 0)
"""The iOS that emulated processes answer as, and whose wheels (and earlier ones) are installed for a test."""

_MACHINES = {"x86_64": Arch.X86_64, "amd64": Arch.X86_64, "aarch64": Arch.ARM64, "arm64": Arch.ARM64}


def check_runs_here(target: Target, cpu: str | None = None) -> None:
    """Whether a target's code runs on this machine: by its CPU, or under qemu for arm64 and for a CPU model by name.

    Args:
        target: Whose code is to run.
        cpu: The CPU model, by qemu's name; None for this machine's own.

    Raises:
        TrialError: It does not; says why.
    """
    if not sys.platform.startswith("linux"):
        raise TrialError(
            f"forge test is not supported on {sys.platform}",
            hint="use Linux (a container is enough) or a Mac",
        )
    here = host_arch()
    if target.arch is here:
        if cpu is not None:
            require_qemu(target.arch, cpu)
        return
    if target.arch is not Arch.ARM64 or here is None:
        raise TrialError(
            f"code for {target.multiarch} cannot run on this machine ({platform.machine()})",
            hint="use --arch arm64" if here else "use Linux on x86-64 or arm64",
        )
    require_qemu(target.arch, cpu)


def host_arch() -> Arch | None:
    """This machine's CPU by Apple's name, or None where iOS runs on no such CPU."""
    return _MACHINES.get(platform.machine().lower())


def ensure_emulator(
    context: BuildContext,
    target: Target,
    app: Path,
    work: Path,
    progress: Progress,
    *,
    as_host: bool,
    cpu: str | None = None,
) -> Emulator:
    """Everything that running a target's code takes, made if it is not there yet.

    Args:
        context: Toolchain and Pythons.
        target: Whose code is run.
        app: The app's bundle.
        work: An existing directory of this run.
        progress: Receives progress updates.
        as_host: Whether Python answers as the Linux that it is, not as iOS.
        cpu: The CPU model to run on, by qemu's name; None for this machine's own, where it can run the code.

    Raises:
        ForgeError: Something is missing and cannot be had.
    """
    check_runs_here(target, cpu)
    linux = ensure_linux(context, target.arch, progress, cpu)
    # In the bundle, for what counts paths from it (ctypes reads .fwork files); and under qemu to start Python at all.
    executable = write_python(app / "python", linux.command)
    # Each of these takes long to make or to fetch, so only what is loaded is.
    loaded = loaded_names(app)
    openblas = ensure_openblas(context, target.arch, progress) if names_accelerate(loaded) else None
    libcxx = ensure_libcxx(context.home, context.toolchain, target, progress) if names_libcxx(loaded) else None
    loader = LoaderConfig(
        shim=linux.shim,
        libcxx=libcxx,
        executable_path=executable,
        openblas32=None if openblas is None else openblas.openblas32,
        openblas64=None if openblas is None else openblas.openblas64,
    )
    guise = Guise(
        ios_version=str(ANSWERED_VERSION),
        minimum=str(target.effective_ios_version),
        multiarch=target.multiarch,
        absent=context.python.absent_modules(target),
    )
    return Emulator(
        command=(*linux.command, "-s"),
        env=process_environment(work),
        loader=loader,
        guise=None if as_host else guise,
        executable=executable,
    )


def write_python(path: Path, command: Sequence[str]) -> Path:
    """Write a program that is called as Python and starts one, with its arguments and its whole environment.

    Args:
        path: The program.
        command: What starts Python.

    Returns:
        The path.
    """
    # Not /bin/sh: dash leaves out environment variables whose names are not a shell's. Suites have such (h5py's are
    # made of paths), and without its own a test that starts itself again does so for ever.
    path.write_text(f'#!/bin/bash -p\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
    path.chmod(0o755)
    return path


@dataclass(frozen=True)
class Linux:
    """A Linux Python for a CPU, and the shim that fits it.

    Args:
        command: What starts the Python.
        shim: The shim.
    """

    command: tuple[str, ...]
    shim: Path


def ensure_linux(context: BuildContext, arch: Arch, progress: Progress, cpu: str | None = None) -> Linux:
    """The build Python where the CPU is this machine's, else Debian's under qemu.

    Args:
        context: Cache, toolchain and Pythons.
        arch: Whose code is run.
        progress: Receives progress updates.
        cpu: A CPU model by qemu's name: the build Python runs under qemu then too.

    Raises:
        ForgeError: It cannot be had.
    """
    if arch is host_arch():
        under = () if cpu is None else (str(require_qemu(arch, cpu)), "-cpu", cpu)
        return Linux((*under, str(context.build_python.executable)), shim_path(context.home, arch))
    guest = ensure_guest(context.home, context.python.minor, progress, cpu)
    toolchain = context.toolchain
    if not isinstance(toolchain, LLVMToolchain):
        raise ToolchainError(f"{toolchain.description}: compiling the shim for another CPU requires LLVM")
    shim = shim_path(context.home, arch, sysroot=guest.root, clang=toolchain.llvm.bin / "clang")
    return Linux(guest.command, shim)


def process_environment(work: Path) -> dict[str, str]:
    """The environment of an emulating process: nothing of the user's; forge can be imported, and nothing beside it."""
    runtime = work / "runtime"
    runtime.mkdir()
    (runtime / "sitecustomize.py").write_text(SITECUSTOMIZE, encoding="utf-8")
    (runtime / "forge").symlink_to(Path(forge.__file__).resolve().parent)
    for name in ("home", "tmp"):
        (work / name).mkdir()
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(work / "home"),
        "TMPDIR": str(work / "tmp"),
        "PYTHONPATH": str(runtime),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
