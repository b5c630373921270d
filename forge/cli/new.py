"""``forge new``: a recipe for a package that has none."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from forge.authoring.compose import compose
from forge.authoring.mends import Mender
from forge.authoring.native_libraries import LibraryRecipes
from forge.authoring.published import lacking_requirements, needless_because, published_wheels
from forge.authoring.release import Asked, find_release, newest_version, parse_asked
from forge.authoring.report import Report
from forge.authoring.trying import try_recipe
from forge.authoring.workbench import Bench
from forge.authoring.write import check_new, write_recipe
from forge.base.errors import RecipeError
from forge.base.paths import ForgeHome
from forge.base.printable import printable_lines
from forge.base.target import Abi, Arch, Target, parse_multiarch
from forge.cli.display import progress_display
from forge.cli.options import python_option
from forge.ios_python.choose import minor_of
from forge.lint.upstream import Upstream
from forge.plan.shared.cache import shared_cache
from forge.plan.shared.config import read_settings
from forge.recipe.data import data_directory
from forge.recipe.store import RecipeStore, find_recipes

if TYPE_CHECKING:
    from forge.authoring.compose import Findings
    from forge.authoring.trying import Tried


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
@click.option("--try", "tried", is_flag=True, help="Build it for one target, and try fixes for what fails.")
@click.option(
    "--target", default=Target(Abi.IPHONEOS, Arch.ARM64).multiarch, show_default=True, metavar="TARGET",
    help="What --try builds for.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("dist"), show_default=True,
    help="Directory that --try writes the wheel to.",
)  # fmt: skip
@click.option("--anyway", is_flag=True, help="Write a recipe even if none is needed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--recipes", type=click.Path(path_type=Path, file_okay=False), help="Directory to write the recipe in.")
def new(
    asked: Asked, python_version: str, tried: bool, target: str, out: Path, anyway: bool, as_json: bool,
    recipes: Path | None,
) -> None:  # fmt: skip
    """Write a recipe for a package that has none.

    What the project publishes is read: its sdist, and the same release's macOS wheel. The recipe has a comment,
    "Unsure:", wherever a person has to look. If the project publishes iOS wheels, or needs none, nothing is written.

    With --try the recipe is built. If that fails, the fixes that forge knows for the failure (docs/failures.md) are
    applied, one after the other, as long as they move things forward; the exit code is 8 if no build succeeds.
    """
    home = ForgeHome.from_environment()
    minor = minor_of(python_version)
    built_for = parse_multiarch(target)
    store = _store(recipes)
    check_new(store, asked.name)
    found: Findings | None = None
    outcome: Tried | None = None
    with progress_display(Console(stderr=True, highlight=False)) as progress:
        upstream = Upstream(home, progress)
        release = find_release(upstream, asked, store.names())
        published = published_wheels(upstream, release, minor)
        needless = needless_because(release, published, minor)
        lacking = lacking_requirements(release, minor, store, upstream) if needless else ()
        if not needless or anyway:
            found = compose(upstream, release, minor, store)
            write_recipe(found.draft, store, home, minor, progress)
        if found is not None and tried:
            with shared_cache(read_settings(None), home, progress) as cache:
                bench = Bench(release.name, home, store, built_for, minor, out, progress, cache)
                mender = Mender(store.names(), LibraryRecipes(store), partial(newest_version, upstream))
                outcome = try_recipe(found.draft, bench, mender)
                if outcome.wheel is not None:
                    bench.record(outcome.wheel)
    report = Report.of(release, published, needless, found, outcome, store, lacking)
    click.echo(report.to_json() if as_json else printable_lines(report.text()), nl=False)
    if outcome is not None and outcome.error is not None:
        raise outcome.error


def _store(recipes: Path | None) -> RecipeStore:
    if recipes is not None:
        return RecipeStore(recipes.expanduser().resolve())
    store = find_recipes()
    if store.directory == data_directory("recipes") and store.directory.parent.name == "_data":
        raise RecipeError(
            "there is no directory of recipes here", hint="run this in a clone of forge, or name one: --recipes DIR"
        )
    return store
