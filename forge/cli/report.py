"""``forge report``: what runs made of a change, as one comment."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from forge.base.atomic import atomic_file
from forge.base.paths import ForgeHome
from forge.cli.build_report import add_to_summary
from forge.cli.display import progress_display
from forge.cli.options import DEFAULT_PYTHON, wheels_in
from forge.ios_python.choose import minor_of
from forge.lint.upstream import Upstream
from forge.pipeline.comment import render_comment
from forge.pipeline.published import Published
from forge.pipeline.report import make_report
from forge.pipeline.report_json import to_json
from forge.pipeline.results import read_results
from forge.pipeline.upstream_report import own_wheels, render
from forge.recipe.store import find_recipes


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
@click.option(
    "--upstream", is_flag=True,
    help="Instead list the recipes whose projects publish iOS wheels of their own by now.",
)  # fmt: skip
@click.option(
    "--recipes", type=click.Path(path_type=Path, file_okay=False), help="Directory of recipes, for --upstream."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON (schemas/report.schema.json) instead of Markdown.")
def report(
    results: tuple[Path, ...], wheels: tuple[Path, ...], place: str | None, title: str, out: Path | None,
    upstream: bool, recipes: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Tell in one comment what builds and tests made of a change.

    Each RESULT is a file with what 'forge build --json' or 'forge test --json' printed, or a directory with such files
    in it (*.jsonl, *.json). The comment is Markdown: a table of wheels, what their checks and tests said, their sizes,
    what differs from published wheels, and the first errors of what failed. In GitHub's CI it is added to the step's
    summary (GITHUB_STEP_SUMMARY), too.
    """
    if upstream:
        if results or as_json:
            raise click.UsageError("--upstream takes neither results nor --json.")
        _write(_upstream(recipes), out)
        return
    found = read_results(_files(results))
    here = wheels_in(wheels)
    if not wheels:
        here = [file for wheel in found.wheels if (file := Path(wheel.path)).is_file()]
    with progress_display(Console(stderr=True, highlight=False)) as progress:
        published = None if place is None else Published(place, ForgeHome.from_environment(), progress)
        made = make_report(found, here, published)
    comment = render_comment(made, title)
    _write(comment, out, to_json(made) if as_json else None)


def _upstream(recipes: Path | None) -> str:
    store = find_recipes(recipes)
    with progress_display(Console(stderr=True, highlight=False)) as progress:
        asked = Upstream(ForgeHome.from_environment(), progress)
        return render(own_wheels(store.load_all(store.names()), asked, minor_of(DEFAULT_PYTHON)))


def _write(comment: str, out: Path | None, text: str | None = None) -> None:
    """Print or write a text, which is the comment if it is None; the comment is added to the step's summary, too."""
    text = comment if text is None else text
    if out is None:
        click.echo(text, nl=False)
    else:
        with atomic_file(out, "w") as file:
            file.write(text)
    add_to_summary(comment)


def _files(results: tuple[Path, ...]) -> list[Path]:
    files = []
    for path in results:
        if path.is_dir():
            files += sorted(file for file in path.rglob("*") if file.suffix in (".jsonl", ".json") and file.is_file())
        else:
            files.append(path)
    return files
