"""CPython's iOS testbed: the Xcode project that runs a module of Python's as a test on Apple's simulator.

It is in CPython's source, a program as well: ``python TESTBED clone --framework SLICE PLACE`` copies it, with an iOS
Python; ``python PLACE run [--simulator NAME] -- MODULE ARGUMENTS`` builds it with Xcode, starts a simulator, runs
``python -m MODULE ARGUMENTS`` in it and ends with Xcode's exit code (CPython's ``iOS/README.rst``, and ``__main__.py``
of the directories below; the same for 3.13 and 3.14). What it finds in ``app_packages`` and ``app`` it puts into the
app and makes frameworks of itself; ``app`` is the working directory.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.errors import SourceError, TrialError
from forge.base.process import tail
from forge.emulate.process import run_limited
from forge.emulate.session import Case, Incident, Outcome
from forge.toolchain.environment import build_environment
from forge.trial.junit import FAMILY, read_junit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forge.base.target import Target
    from forge.emulate.process import Ended
    from forge.emulate.session import Limits
    from forge.ios_python.build_python import BuildPython
    from forge.ios_python.product import XCFramework
    from forge.toolchain.base import Toolchain

PLACES = ("iOS/testbed", "Apple/testbed", "Platforms/Apple/testbed")
"""Where it is in the source: up to 3.13, from 3.14 on, from 3.15 on."""

_CLONE_SECONDS = 600


@dataclass(frozen=True)
class ClonedTestbed:
    """A copy of the testbed.

    Args:
        root: Its directory.
        python: The Python that runs its program: of 3.12 or later, for ``Path.relative_to(walk_up=True)``.
        env: What Xcode and the simulator are started with.
    """

    root: Path
    python: Path
    env: Mapping[str, str] = field(repr=False)

    @property
    def app(self) -> Path:
        """The tests' directory, in the app their working directory."""
        return self.root / "iOSTestbed" / "app"

    @property
    def packages(self) -> Path:
        """Where wheels are installed."""
        return self.root / "iOSTestbed" / "app_packages"


def find_testbed(source: Path) -> Path:
    """The testbed in an unpacked CPython.

    Raises:
        SourceError: This CPython has none.
    """
    for place in PLACES:
        if (source / place / "__main__.py").is_file():
            return source / place
    raise SourceError("the CPython source does not contain an iOS testbed", hint="use CPython 3.13 or newer")


def make_slice(python: XCFramework, target: Target, destination: Path) -> None:
    """One target's part of an iOS Python as ``make install`` leaves it, which every testbed takes for ``--framework``.

    3.13's testbed expects the whole standard library in the slice, and nothing beside ``python3.13`` in its ``lib``.
    Files are copied: Xcode's build phases copy symbolic links as they are.

    Args:
        python: The Python for apps.
        target: A simulator.
        destination: A directory to make.
    """
    slice_ = python.slice(target)
    for name in ("Python.framework", "bin", "include"):
        shutil.copytree(slice_ / name, destination / name)
    library = destination / "lib" / f"python{python.minor}"
    shutil.copytree(python.stdlib, library)
    shutil.copytree(python.platform_lib(target), library, dirs_exist_ok=True)


def simulator_environment(toolchain: Toolchain) -> dict[str, str]:
    """The environment for Xcode: simulators live in the user's home, so that is the user's own."""
    user = {name: os.environ[name] for name in ("USER", "LOGNAME") if name in os.environ}
    return build_environment(Path.home(), toolchain.path, user)


def clone_testbed(
    testbed: Path, framework: Path, destination: Path, python: BuildPython, env: Mapping[str, str], output: Path
) -> ClonedTestbed:
    """Copy a testbed, with an iOS Python in it.

    Args:
        testbed: What `find_testbed` found.
        framework: What `make_slice` made.
        destination: A directory to make.
        python: Runs the testbed's program.
        env: As `simulator_environment` made it.
        output: A file that what it says is appended to.

    Raises:
        TrialError: It refuses.
        ToolchainError: The Python cannot be run.
    """
    ended = run_limited(
        [python.executable, testbed, "clone", "--framework", framework, destination],
        env=env, cwd=destination.parent, output=output, timeout=_CLONE_SECONDS,
    )  # fmt: skip
    if not ended.normally or ended.code:
        raise TrialError(f"cannot copy CPython's testbed: {_how(ended)}: {_last(output)}")
    made = ClonedTestbed(destination, python.executable, env)
    for directory in (made.app, made.packages):
        if not directory.is_dir():
            raise TrialError(f"this version of CPython's testbed is not supported: it has no {directory.name}")
    return made


def run_pytest(
    testbed: ClonedTestbed, arguments: Sequence[str], *, simulator: str | None, work: Path, limits: Limits
) -> Outcome:
    """Run pytest in the app on a simulator, and read its results back.

    A simulator's process is expected to see the Mac's files: pytest writes its JUnit XML into *work*. Where not (it
    crashed, or may not write there), what is known is how the testbed ended.

    Args:
        testbed: With wheels and tests in their places.
        arguments: pytest's.
        simulator: Its name, as Xcode has it; None for the testbed's choice.
        work: An existing directory for the run's own files.
        limits: How long it may take, building the app and starting the simulator included; memory is not limited.

    Raises:
        TrialError: The results cannot be read.
        ToolchainError: The Python cannot be run.
    """
    output, junit = work / "output.log", work / "junit.xml"
    chosen = ["--simulator", simulator] if simulator else []
    results = ["-o", f"junit_family={FAMILY}", f"--junit-xml={junit}"]
    ended = run_limited(
        [testbed.python, testbed.root, "run", *chosen, "--", "pytest", *results, *arguments],
        env=testbed.env, cwd=work, output=output, timeout=limits.seconds,
    )  # fmt: skip
    cases = read_junit(junit) if junit.is_file() else ()
    return Outcome(cases or _whole(ended), _incidents(ended, cases, output), (), ended.seconds, 0, output)


def _whole(ended: Ended) -> tuple[Case, ...]:
    """All of pytest as one test, where nothing is known but that it passed."""
    good = ended.normally and ended.code == 0
    return (Case("pytest", "passed", ended.seconds, "no results were written"),) if good else ()


def _incidents(ended: Ended, cases: Sequence[Case], output: Path) -> tuple[Incident, ...]:
    if ended.timed_out:
        return (Incident("timeout", None, f"timed out after {ended.seconds:.0f} s"),)
    told = any(case.is_bad for case in cases)  # Xcode fails where pytest does
    if ended.normally and (ended.code == 0 or told):
        return ()
    return (Incident("exit", None, f"CPython's testbed {_how(ended)}: {_last(output)}"),)


def _how(ended: Ended) -> str:
    return f"was killed by {ended.signal}" if ended.signal else f"exited with code {ended.code}"


def _last(output: Path) -> str:
    said = [line for line in tail(output) if line.strip()]
    return said[-1].strip() if said else "no output"
