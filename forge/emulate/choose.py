"""Choosing and installing wheels with pip, for trees of what is tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.base.errors import BuildError, TrialError
from forge.base.process import run
from forge.crossbuild.tools import pip_environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def download_wheels(
    pip: Sequence[str | Path], wanted: Sequence[str | Path], into: Path, log: Path, *, what: str, failure: str,
    hint: str = "",
) -> tuple[Path, ...]:  # fmt: skip
    """Download wheels and what they require in turn.

    Args:
        pip: The command, up to the arguments of ``pip download``.
        wanted: Those arguments: PEP 508 requirements, wheels, options.
        into: A directory, made if it is not there.
        log: For what pip says.
        what: The step's name.
        failure: What its failure means; pip's first reason is put behind it.
        hint: What to do then.

    Returns:
        The wheels, sorted by name.

    Raises:
        TrialError: There is no such set of wheels.
    """
    into.mkdir(parents=True, exist_ok=True)
    try:
        run(
            [
                *pip, "download", "--no-input", "--disable-pip-version-check", "--only-binary=:all:", "--dest", into,
                *wanted,
            ],
            log=log, env=pip_environment(), cwd=into, what=what,
        )  # fmt: skip
    except BuildError as error:
        reason = next((line for line in error.tail if line.startswith("ERROR: ")), "").removeprefix("ERROR: ")
        said = f"see pip's log: {log}"
        raise TrialError(f"{failure}: {reason or error.message}", hint=f"{hint}; {said}" if hint else said) from error
    return tuple(sorted(into.glob("*.whl")))


def install_wheels(
    pip: Sequence[str | Path], options: Sequence[str], wheels: Sequence[Path], into: Path, log: Path, *, what: str
) -> None:
    """Install wheels that were chosen, and nothing besides.

    Args:
        pip: The command, up to the arguments of ``pip install``.
        options: Further options.
        wheels: All of them.
        into: What goes to ``sys.path``, made if it is not there.
        log: For what pip says.
        what: The step's name.

    Raises:
        BuildError: pip cannot.
    """
    into.mkdir(parents=True, exist_ok=True)
    run(
        [
            *pip, "install", "--no-input", "--disable-pip-version-check", *options, "--no-index", "--no-deps",
            "--target", into, *wheels,
        ],
        log=log, env=pip_environment(), cwd=into, what=what,
    )  # fmt: skip
