"""What runs Mach-O code here: a Linux Python, the shim, libc++, and forge's runtime on its path."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import forge
from forge.base.errors import TrialError
from forge.base.target import Arch, IOSVersion, Target
from forge.emulate.libcxx import ensure_libcxx
from forge.emulate.runtime.config import LoaderConfig
from forge.emulate.runtime.guise import Guise
from forge.emulate.session import Emulator
from forge.emulate.shim import shim_path

if TYPE_CHECKING:
    from forge.base.progress import Progress
    from forge.build.recipe_build import Setting

ANSWERED_VERSION = IOSVersion(18, 0)
"""The iOS that emulated processes answer as, and whose wheels (and earlier ones) are installed for a test."""

_MACHINES = {"x86_64": Arch.X86_64, "amd64": Arch.X86_64, "aarch64": Arch.ARM64, "arm64": Arch.ARM64}


def check_runs_here(target: Target) -> None:
    """Whether a target's code runs on this machine.

    Raises:
        TrialError: It does not; says why.
    """
    if not sys.platform.startswith("linux"):
        raise TrialError(
            "forge test runs wheels on Linux", hint="on a Mac, run the wheel in CPython's testbed on a real simulator"
        )
    here = _MACHINES.get(platform.machine().lower())
    if target.arch is not here:
        raise TrialError(
            f"code for {target.multiarch} does not run on this machine's {platform.machine()}",
            hint="name a wheel for this machine's CPU: --abi iphonesimulator --arch x86_64 on a PC",
        )


def ensure_emulator(
    setting: Setting, target: Target, app: Path, work: Path, progress: Progress, *, as_host: bool
) -> Emulator:
    """Everything that running a target's code takes, made if it is not there yet.

    Args:
        setting: Toolchain and Pythons.
        target: Whose code is run.
        app: The app's bundle.
        work: An existing directory of this run.
        progress: Is told what happens.
        as_host: Whether Python answers as the Linux that it is, not as iOS.

    Raises:
        ForgeError: Something is missing and cannot be had.
    """
    check_runs_here(target)
    loader = LoaderConfig(
        shim=shim_path(setting.home, target.arch),
        libcxx=ensure_libcxx(setting.home, setting.toolchain, target, progress),
        executable_path=app / "forge-test",
    )
    guise = Guise(str(ANSWERED_VERSION), str(target.effective_ios_version), target.multiarch)
    return Emulator(
        command=(str(setting.build_python.executable), "-s"),
        env=process_environment(work),
        loader=loader,
        guise=None if as_host else guise,
    )


def process_environment(work: Path) -> dict[str, str]:
    """The environment of an emulating process: nothing of the user's; forge can be imported, and nothing beside it."""
    runtime = work / "runtime"
    runtime.mkdir()
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
