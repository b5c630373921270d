"""``forge show``: a recipe as it counts for one build, with the place of each value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forge.base.printable import printable_lines
from forge.base.target import Abi, Arch, Target, parse_multiarch
from forge.cli.options import ios_version_option, python_option, variant_option
from forge.ios_python.choose import minor_of
from forge.plan.shown_recipe import shown_recipe
from forge.recipe.store import find_recipes
from forge.recipe.variants import check_variants

if TYPE_CHECKING:
    from forge.base.target import IOSVersion
    from forge.plan.shown_recipe import Row

JSON_VERSION = 1
"""Goes up when a field changes its meaning or goes away."""

_DEFAULT_TARGET = Target(Abi.IPHONEOS, Arch.ARM64).multiarch


@click.command()
@click.argument("recipe_name", metavar="NAME")
@click.option(
    "--target", default=_DEFAULT_TARGET, show_default=True, metavar="TARGET", help="E.g. arm64-iphonesimulator."
)
@ios_version_option
@python_option
@variant_option
@click.option("--all", "every", is_flag=True, help="Also show values whose conditions do not hold.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--recipes", type=click.Path(path_type=Path, file_okay=False), help="Directory that contains the recipes."
)
def show(
    recipe_name: str,
    target: str,
    ios_version: IOSVersion,
    python_version: str,
    variants: tuple[str, ...],
    every: bool,
    as_json: bool,
    recipes: Path | None,
) -> None:
    """Show a recipe as it counts for one build, and where each value is from.

    Conditions are decided and variables expanded, for one target, minimum iOS version, Python and choice of variants.
    Each value has its file and line beside it; what the recipe does not say is a default.
    """
    recipe = find_recipes(recipes).load(recipe_name)
    chosen = parse_multiarch(target, ios_version)
    minor = minor_of(python_version)
    check_variants(variants, (recipe,), chosen)
    rows = [row for row in shown_recipe(recipe, chosen, minor, variants) if row.counts or every]
    if as_json:
        data = {
            "version": JSON_VERSION,
            "name": recipe.name,
            "target": chosen.multiarch,
            "ios_version": str(chosen.ios_version),
            "python": minor,
            "variants": list(variants),
            "values": [vars(row) for row in rows],
        }
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
        return
    supported = "" if recipe.supports(minor) else f"; the recipe is for Python {recipe.python} only"
    title = (
        f"{recipe.name} {recipe.version} for {chosen.multiarch}, iOS {chosen.ios_version}, Python {minor}{supported}"
    )
    click.echo(printable_lines("\n".join([title, *_lines(rows)])))


def _lines(rows: list[Row]) -> list[str]:
    """The values under their keys, the places in a column."""
    lines: list[str] = []
    key = None
    width = min(70, max((len(_first(row.value)) for row in rows), default=0))
    for row in rows:
        if row.key != key:
            key = row.key
            lines.append(key)
        first, *rest = row.value.rstrip("\n").split("\n")
        mark = "  " if row.counts else "- "
        lines.append(
            f"  {mark}{first:<{width}}  {row.origin}" + ("" if row.counts else "  (its condition does not hold)")
        )
        lines += [f"    {line}" for line in rest]
    return lines


def _first(text: str) -> str:
    return text.partition("\n")[0]
