"""``forge test`` on a Mac: the tests run in CPython's testbed, on Apple's simulator."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING, Any

from forge.base.errors import ToolchainError, TrialError
from forge.base.process import output
from forge.base.target import Abi
from forge.emulate.app import choose_app_wheels, install_app_wheels
from forge.ios_python.releases import find_release
from forge.source.fetch import fetch, prepare
from forge.trial.emulator import host_arch
from forge.trial.testbed import (
    clone_testbed,
    find_testbed,
    make_slice,
    simulator_environment,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.crossbuild.context import BuildContext
    from forge.trial.testbed import ClonedTestbed

HOW = "executed in CPython's testbed on Apple's iOS simulator; not run on a device"
"""What such a run is, in one line (docs/emulation.md)."""


def check_simulates(target: Target) -> None:
    """Whether this Mac's simulator runs a target's code.

    Raises:
        TrialError: It does not: the code is for devices, or for another CPU.
    """
    if target.abi is not Abi.IPHONESIMULATOR:
        raise TrialError(
            f"a simulator cannot run code for {target.multiarch}",
            hint="use --abi iphonesimulator; wheels for devices can be tested on Linux",
        )
    here = host_arch()
    if target.arch is not here:
        raise TrialError(
            f"this Mac's simulator runs {platform.machine()} code, but the wheel is for {target.multiarch}",
            hint=f"use --arch {here}" if here else None,
        )


def check_simulator(env: Mapping[str, str], name: str | None) -> None:
    """Whether Xcode has a simulator with an iOS, and the one that is named.

    Args:
        env: As `forge.trial.testbed.simulator_environment` made it.
        name: A device's name as Xcode has it, or None; what follows a comma (``,OS=26.0``) is Xcode's to check.

    Raises:
        TrialError: It has none.
    """
    try:
        listed = json.loads(output(["xcrun", "simctl", "list", "-j"], env=env))
        runtimes = [one for one in listed["runtimes"] if one.get("isAvailable", True) and _is_ios(one)]
        devices = {one["name"] for one in listed["devicetypes"]}
    except ToolchainError as error:
        raise TrialError(
            f"iOS simulator not found: {error}",
            hint="install Xcode, start it once, then run 'sudo xcode-select --switch /Applications/Xcode.app'",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise TrialError(f"cannot parse the output of xcrun simctl: {error!r}") from error
    if not runtimes:
        raise TrialError(
            "no iOS runtime is installed for Xcode's simulators", hint="run 'xcodebuild -downloadPlatform iOS'"
        )
    if name is not None and name.partition(",")[0] not in devices:
        known = ", ".join(sorted(one for one in devices if one.startswith("iPhone"))) or "none"
        raise TrialError(f"Xcode has no simulator named {name!r}", hint=f"available iPhones: {known}")


def _is_ios(runtime: Mapping[str, Any]) -> bool:
    return "iOS" in (runtime.get("platform"), str(runtime.get("name")).partition(" ")[0])


def prepare_testbed(
    wheels: Sequence[Path], requires: Sequence[str], target: Target, context: BuildContext, find_links: Sequence[Path],
    work: Path, log: Path, progress: Progress, *, simulator: str | None,
) -> tuple[ClonedTestbed, tuple[Path, ...]]:  # fmt: skip
    """A testbed with wheels, and what they require, installed.

    Args:
        wheels: For the target, or pure.
        requires: PEP 508 requirements besides.
        target: A simulator; its iOS version says which wheels of others are taken.
        context: Toolchain, iOS Python and build Python.
        find_links: Directories with wheels that are taken before the index's.
        work: An existing directory; all of it is in there.
        log: For what pip and the testbed say.
        progress: Receives progress updates.
        simulator: The simulator that will be asked for, or None.

    Returns:
        The testbed, and the wheels in it.

    Raises:
        TrialError: There is no simulator, a requirement has no wheel for it, or the testbed refuses.
        IOSPythonError: The iOS Python is an assembled one, or forge knows no source of its release.
        SourceError, NetworkError: CPython's source cannot be had.
    """
    product = context.python.require_product()
    env = simulator_environment(context.toolchain)
    check_simulator(env, simulator)
    archive = fetch(find_release(product.version).cpython.source, context.home, progress)
    prepare(archive, (), work / "Python", progress)
    make_slice(product, target, work / "framework")
    testbed = clone_testbed(
        find_testbed(work / "Python"), work / "framework", work / "testbed", context.build_python, env, log
    )
    chosen = choose_app_wheels(wheels, requires, target, context, find_links, work / "wheels", log)
    install_app_wheels(chosen, target, context, testbed.packages, log)
    return testbed, chosen
