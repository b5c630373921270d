"""``forge lock``: pin a recipe's build requirements."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from forge.base.paths import ForgeHome
from forge.cli.display import progress_display
from forge.cli.options import python_option
from forge.ios_python.choose import minor_of
from forge.plan.lock import lock_recipe
from forge.plan.lock_python import find_lock_python, lock_minor
from forge.recipe.store import find_recipes


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@python_option
@click.option(
    "--recipes", type=click.Path(path_type=Path, file_okay=False), help="Directory that contains the recipes."
)
def lock(names: tuple[str, ...], python_version: str, recipes: Path | None) -> None:
    """Resolve the build requirements of recipes and pin them, with hashes, in a lock file beside each recipe."""
    home = ForgeHome.from_environment()
    store = find_recipes(recipes)
    wanted = store.load_all(names)
    with progress_display(Console(stderr=True, highlight=False)) as progress:
        minors = {recipe.name: lock_minor(recipe, minor_of(python_version)) for recipe in wanted}
        pythons = {minor: find_lock_python(home, minor, progress) for minor in dict.fromkeys(minors.values())}
        locks = [(recipe, lock_recipe(home, recipe, pythons[minors[recipe.name]], progress)) for recipe in wanted]
    for recipe, made in locks:
        pinned = ", ".join(f"{pin.name} {pin.version}" for pin in made.pins)
        click.echo(f"{recipe.lock_file}: {pinned or 'no build requirements'}")
