"""``forge migrate``: rewrite recipes of older versions of the format."""

from __future__ import annotations

from pathlib import Path

import click

from forge.authoring.migrate import migrate_recipe
from forge.base.errors import RecipeError
from forge.base.printable import printable
from forge.recipe.diagnostics import shown_path, together
from forge.recipe.store import find_recipes


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option(
    "--recipes", type=click.Path(path_type=Path, file_okay=False), help="Directory that contains the recipes."
)
def migrate(names: tuple[str, ...], recipes: Path | None) -> None:
    """Rewrite recipes of older versions of the format for this forge; without names, all of them.

    Comments and the order of keys stay. What has moved out of the recipe is written beside it.
    """
    store = find_recipes(recipes)
    errors: list[RecipeError] = []
    for name in names or store.names():
        try:
            file = store.path(name)
            migration = migrate_recipe(file)
        except RecipeError as error:
            errors.append(error)
            continue
        if migration is None:
            if names:
                click.echo(f"{printable(shown_path(file))}: nothing to do")
            continue
        click.echo(f"{printable(shown_path(file))}: rewritten")
        for comment in migration.dropped:
            click.echo(f"  comment removed: {printable(comment)}")
    if errors:
        raise together(errors)
