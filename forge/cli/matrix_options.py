"""What commands share that print a plan as jobs for a CI system (``--matrix``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from forge.plan.stages import MOST_JOBS, RUNNER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from forge.plan.stages import Stage


def matrix_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--matrix`` (which is the option *shape*'s value), ``--max-jobs`` and ``--runner``."""
    for option in (
        click.option(
            "--runner", default=RUNNER, show_default=True, metavar="LABEL", help="The machines that --matrix asks for."
        ),
        click.option(
            "--max-jobs", type=click.IntRange(1, MOST_JOBS), default=MOST_JOBS, show_default=True, metavar="N",
            help="How many jobs a stage of --matrix may have; the smallest are put together.",
        ),
        click.option(
            "--matrix", "shape", flag_value="matrix",
            help="Print stages and jobs for GitHub's matrices, as one line of JSON (schemas/matrix.schema.json).",
        ),
    ):  # fmt: skip
        function = option(function)
    return function


def check_jobs(stages: Sequence[Stage], most: int) -> None:
    """Refuse stages with more jobs than there may be.

    Raises:
        click.BadParameter: One has more.
    """
    for number, stage in enumerate(stages, 1):
        if len(stage) > most:
            raise click.BadParameter(
                f"stage {number} has wheels for {len(stage)} targets and Pythons, and each of these takes a job; "
                f"give at least {len(stage)}, or select fewer with --abi, --arch or --python",
                param_hint="--max-jobs",
            )


def build_arguments(ctx: click.Context) -> tuple[list[str], list[str]]:
    """Which options of this command line all jobs are to be told, and which select what is built."""

    def told(*names: str) -> list[str]:
        words: list[str] = []
        for option in ctx.command.params:
            if option.name in names and ctx.get_parameter_source(str(option.name)) is not ParameterSource.DEFAULT:
                values = ctx.params[option.name] if option.multiple else (ctx.params[option.name],)
                words += [word for value in values for word in (option.opts[0], str(value))]
        return words

    return told("ios_version", "python_from", "variants", "recipes"), told("abi", "arch", "python_versions")
