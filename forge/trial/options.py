"""How wheels are tried."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from forge.emulate.session import Limits

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class TrialOptions:
    """How to try.

    Args:
        suite: Run the project's own test suite, not the recipe's tests.
        as_host: Let Python answer as Linux, for suites that must not know.
        limits: Time and memory of each process.
        find_links: Directories whose wheels are taken before the index's.
        pytest_args: Further arguments of pytest's, for whoever looks for one failure.
        tests: Files and directories of tests to run instead: a project's own, beside a wheel of anybody's.
        requires: What these need besides pytest (PEP 508).
        against_host: Run the same tests with the Linux wheel of the same version as well.
        simulator: Which of a Mac's simulators; None for the testbed's choice.
        cpu: The CPU model to run on, by qemu's name; None for this machine's own.
        variants: Of which variants a recipe's wheel is built, each in every recipe that declares it.
    """

    suite: bool = False
    as_host: bool = False
    limits: Limits = field(default_factory=Limits)
    find_links: tuple[Path, ...] = ()
    pytest_args: tuple[str, ...] = ()
    tests: tuple[Path, ...] = ()
    requires: tuple[str, ...] = ()
    against_host: bool = False
    simulator: str | None = None
    cpu: str | None = None
    variants: tuple[str, ...] = ()
