"""``forge patch``: a patch of what a person changed in a build's source tree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from forge.base.paths import ForgeHome
from forge.base.printable import printable
from forge.cli.display import progress_display
from forge.cli.one_build import chosen_build, one_build_options
from forge.plan.make_patch import PatchWish, make_patch
from forge.plan.which_build import need_kept
from forge.recipe.diagnostics import shown_path
from forge.recipe.store import find_recipes

if TYPE_CHECKING:
    from forge.base.target import IOSVersion

_SHOWN = 10


@click.command()
@click.argument("recipe_name", metavar="NAME")
@one_build_options
@click.option("--reason", default="", metavar="TEXT", help="Why the patch is needed: its first lines.")
@click.option("--name", metavar="FILE.patch", help="The patch's name.  [default: a number, and words of the reason]")
@click.option(
    "--add", multiple=True, metavar="PATH",
    help="A file that is new, deleted, or written by the build, to be in the patch as well; can be repeated.",
)  # fmt: skip
@click.option(
    "--recipes", type=click.Path(path_type=Path, file_okay=False), help="Directory that contains the recipes."
)
def patch(
    recipe_name: str,
    target: str | None,
    abi: str | None,
    arch: str | None,
    ios_version: IOSVersion | None,
    python_version: str | None,
    variants: tuple[str, ...],
    reason: str,
    name: str | None,
    add: tuple[str, ...],
    recipes: Path | None,
) -> None:
    """Make a patch of your edits of a build's source tree, and add it to the recipe.

    The tree is that of the newest build that was kept and edited, of those that the options fit. The patch has the
    source files that you changed; other files only if --add names them. Prints the patch's path.
    """
    home = ForgeHome.from_environment()
    choice = chosen_build(target, abi, arch, ios_version, python_version, variants)
    if not all(line.isprintable() for line in reason.splitlines()):
        raise click.BadParameter("it has a control character in it", param_hint="--reason")
    recipe = find_recipes(recipes).load(recipe_name)
    kept = need_kept(home, recipe, choice, edited=True)
    wish = PatchWish(reason, name, add)
    with progress_display(Console(stderr=True, highlight=False)) as progress:
        made = make_patch(recipe, kept, home, wish, progress)
    click.echo(shown_path(made.path))
    for file in made.files:
        click.echo(f"  {printable(file)}", err=True)
    if made.left_out:
        more = f" and {len(made.left_out) - _SHOWN} more" if len(made.left_out) > _SHOWN else ""
        shown = ", ".join(map(printable, made.left_out[:_SHOWN]))
        click.echo(f"not in the patch, unless --add names it: {shown}{more}", err=True)
    if not reason:
        click.echo(f"write the reason for the patch into its first line: {shown_path(made.path)}", err=True)
