"""``forge lock``: pin a recipe's build requirements."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from forge.authoring.extension_modules import merged, modules_by_target, write_table
from forge.base.paths import ForgeHome
from forge.base.printable import printable
from forge.cli.display import progress_display
from forge.cli.options import python_option
from forge.ios_python.choose import minor_of
from forge.plan.lock import lock_recipe
from forge.plan.lock_python import find_lock_python, lock_minor
from forge.recipe.diagnostics import shown_path
from forge.recipe.store import find_recipes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.recipe.model import Recipe


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@python_option
@click.option(
    "--wheel",
    "wheels",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the table of extension modules instead, from this wheel of the recipe and those named after it.",
)
@click.option(
    "--recipes", type=click.Path(path_type=Path, file_okay=False), help="Directory that contains the recipes."
)
def lock(names: tuple[str, ...], python_version: str, wheels: tuple[Path, ...], recipes: Path | None) -> None:
    """Resolve the build requirements of recipes and pin them, with hashes, in a lock file beside each recipe.

    With --wheel, list the extension modules of built wheels in extension-modules.txt beside the recipe. Targets whose
    wheels are not given, comments, and lines with conditions stay as they are.
    """
    home = ForgeHome.from_environment()
    store = find_recipes(recipes)
    if wheels:  # a shell makes several arguments of 'dist/*.whl', of which the option takes the first
        wheels += tuple(Path(name) for name in names if name.endswith(".whl"))
        names = tuple(name for name in names if not name.endswith(".whl"))
    wanted = store.load_all(names)
    if wheels:
        if len(wanted) > 1:
            raise click.UsageError("--wheel takes the name of one recipe.")
        _write_table(wanted[0], wheels)
        return
    with progress_display(Console(stderr=True, highlight=False)) as progress:
        minors = {recipe.name: lock_minor(recipe, minor_of(python_version)) for recipe in wanted}
        pythons = {minor: find_lock_python(home, minor, progress) for minor in dict.fromkeys(minors.values())}
        locks = [(recipe, lock_recipe(home, recipe, pythons[minors[recipe.name]], progress)) for recipe in wanted]
    for recipe, made in locks:
        pinned = ", ".join(pin.label for pin in made.pins)
        click.echo(f"{recipe.lock_file}: {pinned or 'no build requirements'}")


def _write_table(recipe: Recipe, wheels: Sequence[Path]) -> None:
    found = modules_by_target(recipe, wheels)
    write_table(recipe, merged(recipe.extension_table, found))
    counts = ", ".join(f"{target} {len(modules)}" for target, modules in sorted(found.items()))
    click.echo(f"{printable(shown_path(recipe.table_file))}: modules by target: {counts}")
