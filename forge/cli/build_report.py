"""What ``forge build`` says at its end: wheels, failures, tests; as text or JSON, as a drawing, as a summary for CI."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from forge.base.atomic import atomic_file
from forge.cli.errors import show_error
from forge.failures.first_error import first_error
from forge.plan.timeline import render_html, render_markdown
from forge.trial.report import counts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forge.cli.display import JSONProgress
    from forge.plan.run import Failure, Result
    from forge.plan.timeline import Span
    from forge.trial.report import Trial


def write_reports(spans: Sequence[Span], timeline: Path | None) -> None:
    """The drawing that was asked for, and a summary where a CI system wants one (``GITHUB_STEP_SUMMARY``)."""
    if not spans:
        return
    if timeline is not None:
        with atomic_file(timeline) as file:
            file.write(render_html(spans, "forge build").encode())
    add_to_summary(render_markdown(spans))


def add_to_summary(text: str) -> None:
    """Add Markdown to the summary of a step of GitHub's CI: to the file that ``GITHUB_STEP_SUMMARY`` names, if any."""
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with contextlib.suppress(OSError), Path(summary).open("a", encoding="utf-8") as file:
            file.write(text)


def print_failures(failures: Sequence[Failure]) -> int:
    """Every error in full, then a summary, on standard error; the exit code of the first, or 0."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    codes = [show_error(console, failure.error) for failure in failures if failure.error is not None]
    if codes:
        click.echo(f"failed or skipped: {len(failures)}", err=True)
    for failure in failures:
        click.echo(f"  {failure.subject}: {f'skipped: {failure.because}' if failure.because else 'failed'}", err=True)
    return codes[0] if codes else 0


def print_results(results: Iterable[Result]) -> None:
    """The wheels, one a line on standard output, in the order they were built; warnings go to standard error.

    A pure wheel is the result of every target and printed once.
    """
    console = Console(highlight=False, soft_wrap=True)
    for result in _by_wheel(results).values():
        for finding in result.warnings:
            click.echo(f"warning: {result.wheel.name}: {finding.message}", err=True)
        console.print(Text(f"{result.wheel}" + ("" if result.built else "  (cached)")))


def emit_events(
    progress: JSONProgress, spans: Sequence[Span], results: Sequence[Result], failures: Sequence[Failure],
    trials: Sequence[Trial],
) -> int:  # fmt: skip
    """The end of a run as events of JSON; the exit code of the first failure, or 0."""
    for span in spans:
        progress.event(
            "ended", name=span.name, state=str(span.ending), started=round(span.started, 3),
            seconds=round(span.seconds, 3), because=span.because,
        )  # fmt: skip
    for path, result in _by_wheel(results).items():
        warnings = [finding.message for finding in result.warnings]
        progress.event(
            "wheel", subject=result.subject, path=str(path), fingerprint=result.fingerprint, built=result.built,
            warnings=warnings,
        )  # fmt: skip
    for trial in trials:
        told = counts(trial)
        progress.event(
            "test", subject=trial.subject, python=trial.python, passed=trial.is_good, tests=sum(told.values()),
            tests_passed=told["passed"], log=str(trial.outcome.output),
        )  # fmt: skip
    for failure in failures:
        error = failure.error
        if error is not None:
            progress.event(
                "error", subject=failure.subject, exit_code=error.exit_code, message=error.message, hint=error.hint,
                first_error=first_error(log) if (log := getattr(error, "log", None)) else None,
            )  # fmt: skip
    return next((failure.error.exit_code for failure in failures if failure.error is not None), 0)


def _by_wheel(results: Iterable[Result]) -> dict[Path, Result]:
    """Results by file: a pure wheel is the result of every target."""
    by_wheel: dict[Path, Result] = {}
    for result in results:
        by_wheel.setdefault(result.wheel, result)
    return by_wheel
