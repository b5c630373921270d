"""``forge new``: a recipe for a package that has none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from forge.authoring.compose import compose
from forge.authoring.published import has_compiled_wheel, has_pure_wheel, last_with_wheels, published_wheels, summary
from forge.authoring.release import Asked, find_release, parse_asked
from forge.authoring.write import check_new, write_recipe
from forge.base.errors import RecipeError
from forge.base.paths import ForgeHome
from forge.base.printable import printable
from forge.cli.display import progress_display
from forge.cli.options import python_option
from forge.ios_python.choose import minor_of
from forge.lint.run import lint_recipes
from forge.lint.upstream import Upstream
from forge.recipe.data import data_directory
from forge.recipe.diagnostics import shown_path
from forge.recipe.store import RecipeStore, find_recipes

if TYPE_CHECKING:
    from forge.authoring.compose import Findings
    from forge.authoring.published import PublishedWheels
    from forge.authoring.release import Release


class _AskedType(click.ParamType[Asked]):
    """NAME or NAME==VERSION on the command line."""

    name = "name"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Asked:
        """Read the text, or say what is wrong with it."""
        if isinstance(value, Asked):
            return value
        try:
            return parse_asked(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command()
@click.argument("asked", metavar="NAME[==VERSION]", type=_AskedType())
@python_option
@click.option("--anyway", is_flag=True, help="Write a recipe even if none is needed.")
@click.option("--recipes", type=click.Path(path_type=Path, file_okay=False), help="Directory to write the recipe in.")
def new(asked: Asked, python_version: str, anyway: bool, recipes: Path | None) -> None:
    """Write a recipe for a package that has none.

    What the project publishes is read: its sdist, and the same release's macOS wheel. The recipe has a comment,
    "Unsure:", wherever a person has to look. If the project publishes iOS wheels, or needs none, nothing is written.
    """
    home = ForgeHome.from_environment()
    minor = minor_of(python_version)
    store = _store(recipes)
    check_new(store, asked.name)
    with progress_display(Console(stderr=True, highlight=False)) as progress:
        upstream = Upstream(home, progress)
        release = find_release(upstream, asked, store.names())
        published = published_wheels(upstream, release, minor)
        needless = _needless(release, published, minor)
        found = None
        if not needless or anyway:
            found = compose(upstream, release, minor, store)
            file = write_recipe(found.draft, store, home, minor, progress)
    for line in (*needless, *_about_wheels(release, published)):
        click.echo(printable(line))
    if found is not None:
        click.echo(f"{shown_path(file)}: {found.release.name} {found.release.version}")
        _report(found, store)


def _store(recipes: Path | None) -> RecipeStore:
    if recipes is not None:
        return RecipeStore(recipes.expanduser().resolve())
    store = find_recipes()
    if store.directory == data_directory("recipes") and store.directory.parent.name == "_data":
        raise RecipeError(
            "there is no directory of recipes here", hint="run this in a clone of forge, or name one: --recipes DIR"
        )
    return store


def _needless(release: Release, published: PublishedWheels, minor: str) -> list[str]:
    """Why no recipe is needed; empty if one is."""
    if published.serves(minor):
        return [f"no recipe is needed: {release.name} {release.version} publishes iOS wheels"]
    if has_pure_wheel(release) and not has_compiled_wheel(release):
        return [f"no recipe is needed: {release.name} {release.version} is pure Python, and its wheel installs on iOS"]
    return []


def _about_wheels(release: Release, published: PublishedWheels) -> list[str]:
    lines = [f"  {line}" for line in summary(published)]
    if not lines and (last := last_with_wheels(release)):
        lines.append(f"  the newest version with iOS wheels is {last}")
    return lines


def _report(found: Findings, store: RecipeStore) -> None:
    draft = found.draft
    languages = ", ".join((*found.languages, *(["cffi"] if found.cffi else []))) or "none found"
    click.echo(f"  back end: {draft.backend} ({found.back_end.declared}); languages: {languages}")
    compared = f", as in {found.compared}" if found.compared else ""
    click.echo(f"  extension modules: {len(draft.extensions)}{compared}")
    for doubt in draft.doubts():
        click.echo(printable(f"  unsure: {doubt}"))
    for finding in lint_recipes(store, [draft.name]).findings:
        click.echo(printable(f"  lint: {finding.rule.id} {finding.message}"))
