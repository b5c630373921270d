"""``forge report``: what runs made of a change, as one comment."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import click
from rich.console import Console

from forge.base.atomic import atomic_file
from forge.base.paths import ForgeHome
from forge.cli.display import progress_display
from forge.pipeline.comment import render_comment
from forge.pipeline.published import Published
from forge.pipeline.report import make_report
from forge.pipeline.report_json import to_json
from forge.pipeline.results import read_results


@click.command()
@click.argument("results", nargs=-1, metavar="RESULT...", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--wheels", multiple=True, type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="DIR",
    help="Directory with the wheels, searched with those below it; can be repeated. Without it they are "
    "taken from where the runs put them.",
)  # fmt: skip
@click.option(
    "--published", "place", metavar="DIR|URL",
    help="Compare with the wheels in this directory, or in this package index (PEP 503).",
)  # fmt: skip
@click.option("--title", default="Wheels of this change", show_default=True, help="The heading.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it to this file instead."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON (schemas/report.schema.json) instead of Markdown.")
def report(
    results: tuple[Path, ...], wheels: tuple[Path, ...], place: str | None, title: str, out: Path | None, as_json: bool
) -> None:
    """Tell in one comment what builds and tests made of a change.

    Each RESULT is a file with what 'forge build --json' or 'forge test --json' printed, or a directory with such files
    in it (*.jsonl, *.json). The comment is Markdown: a table of wheels, what their checks and tests said, their sizes,
    what differs from published wheels, and the first errors of what failed. In GitHub's CI it is added to the step's
    summary (GITHUB_STEP_SUMMARY), too.
    """
    found = read_results(_files(results))
    here = [file for directory in wheels for file in sorted(directory.rglob("*.whl"))]
    if not wheels:
        here = [file for wheel in found.wheels if (file := Path(wheel.path)).is_file()]
    with progress_display(Console(stderr=True, highlight=False)) as progress:
        published = None if place is None else Published(place, ForgeHome.from_environment(), progress)
        made = make_report(found, here, published)
    comment = render_comment(made, title)
    text = to_json(made) if as_json else comment
    if out is None:
        click.echo(text, nl=False)
    else:
        with atomic_file(out, "w") as file:
            file.write(text)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with contextlib.suppress(OSError), Path(summary).open("a", encoding="utf-8") as added:
            added.write(comment)


def _files(results: tuple[Path, ...]) -> list[Path]:
    files = []
    for path in results:
        if path.is_dir():
            files += sorted(file for file in path.rglob("*") if file.suffix in (".jsonl", ".json") and file.is_file())
        else:
            files.append(path)
    return files
