"""The Linux wheels of what was tried, for a run beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.crossbuild.tools import ensure_tools
from forge.emulate.choose import download_wheels, install_wheels
from forge.emulate.shim import LINUX_MACHINES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from forge.base.target import Arch
    from forge.crossbuild.context import BuildContext
    from forge.wheel.name import WheelName

_GLIBC = (34, 31, 28, 27, 26, 24, 17)
"""The ``manylinux_2_N`` tags (PEP 600) that wheels are published with; Debian 12's glibc has 36, and takes them all."""


def install_host(
    name: WheelName, requires: Sequence[str], arch: Arch, context: BuildContext, work: Path, log: Path
) -> tuple[Path, tuple[str, ...]]:
    """Install the Linux wheel of a name and version, and requirements, from the package index.

    Args:
        name: The wheel that was tried.
        requires: What its tests need.
        arch: The CPU of the Linux Python.
        context: The build Python, for whose minor version wheels are chosen.
        work: A directory to make.
        log: For what pip says.

    Returns:
        The directory for ``sys.path``, and the wheels' file names, sorted.

    Raises:
        TrialError: The index has no Linux wheel of that version.
    """
    tools = ensure_tools(context.home, context.build_python)
    wanted = [f"{name.distribution}=={name.version}", *requires]
    common = linux_options(context.python.minor, arch)
    pip: list[str | Path] = [tools.python, "-m", "pip"]
    wheels = download_wheels(
        pip, [*common, *wanted], work / "wheels", log, what="choosing Linux wheels",
        failure=f"no Linux wheel found to compare {name.distribution} {name.version} with",
    )  # fmt: skip
    packages = work / "packages"
    install_wheels(pip, ["--only-binary=:all:", *common], wheels, packages, log, what="installing Linux wheels")
    return packages, tuple(wheel.name for wheel in wheels)


def linux_options(minor: str, arch: Arch) -> list[str]:
    """What makes pip choose wheels for a Linux with glibc.

    Args:
        minor: Of CPython, e.g. ``3.13``.
        arch: The CPU.
    """
    machine = LINUX_MACHINES[arch]
    platforms = [*(f"manylinux_2_{glibc}_{machine}" for glibc in _GLIBC), f"manylinux2014_{machine}"]
    options = ["--python-version", minor, "--implementation", "cp"]
    return options + [part for platform in platforms for part in ("--platform", platform)]
