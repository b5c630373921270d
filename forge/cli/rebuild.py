"""``forge rebuild``: a wheel once more from its recipe, and whether the same comes out."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
from rich.console import Console

from forge.base.errors import ReproducibilityError
from forge.base.paths import ForgeHome
from forge.cli.display import progress_display
from forge.cli.options import jobs_option, variant_option
from forge.plan.in_use import in_use
from forge.plan.rebuild import rebuild as build_again
from forge.plan.rebuild import render_differences
from forge.recipe.store import find_recipes


@click.command()
@click.argument("wheel", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@variant_option
@jobs_option
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False),
    help="Directory to keep the new wheel in; by default it is removed.",
)  # fmt: skip
@click.option(
    "--recipes", type=click.Path(path_type=Path, file_okay=False), help="Directory that contains the recipes."
)
def rebuild(wheel: Path, variants: tuple[str, ...], jobs: int | None, out: Path | None, recipes: Path | None) -> None:
    """Build a wheel again and compare the two, bit for bit.

    WHEEL is a file that forge built. It is built from the recipe of its name, which must be for its version; what it
    links is taken from the cache. If the wheels differ, the exit code is 13 and the differences are printed: members,
    sections of binaries, lines of text.
    """
    home, store = ForgeHome.from_environment(), find_recipes(recipes)
    home.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="rebuild-", dir=home.work) as temporary:
        with in_use(home), progress_display(Console(stderr=True, highlight=False)) as progress:
            made = build_again(wheel, home, store, out or Path(temporary), progress, variants=variants, jobs=jobs)
        if made.differences:
            raise ReproducibilityError(
                f"{wheel.name} is not the same when it is built again\n{render_differences(made.differences)}",
                hint="compare the bills of materials in the wheels' .dist-info/sboms",
            )
        click.echo(f"{wheel.name}: the same, bit for bit")
