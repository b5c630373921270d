"""``forge fetch``: what builds download, for machines without a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from forge.base.paths import ForgeHome
from forge.cli.display import progress_display
from forge.cli.options import chosen_targets, pythons_option, target_options, variant_option
from forge.ios_python.build_python import ensure_build_python
from forge.ios_python.choose import minor_of
from forge.plan.closure import plan_builds
from forge.plan.matrix import recipes_by_version
from forge.plan.mirroring import fill
from forge.recipe.store import find_recipes

if TYPE_CHECKING:
    from forge.base.target import IOSVersion


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option(
    "--into", type=click.Path(path_type=Path, file_okay=False), required=True, help="Directory to put the files into."
)
@target_options
@pythons_option
@variant_option
@click.option(
    "--recipes", type=click.Path(path_type=Path, file_okay=False), help="Directory that contains the recipes."
)
def fetch(
    names: tuple[str, ...],
    into: Path,
    abi: str,
    arch: str,
    ios_version: IOSVersion,
    python_versions: str,
    variants: tuple[str, ...],
    recipes: Path | None,
) -> None:
    """Download what builds of recipes need into a directory, for machines without a network.

    These are the sources of the recipes and of those that they require, the headers that the SDK and the iOS Pythons
    are made of, and the locked build requirements for this machine. Set FORGE_MIRROR and PIP_FIND_LINKS to the
    directory, and PIP_NO_INDEX to 1, to build from it. Crates are not included: see "cargo vendor".
    """
    home = ForgeHome.from_environment()
    targets = chosen_targets(abi, arch, ios_version)
    store = find_recipes(recipes)
    wanted = store.load_all(names)
    asked = {minor_of(version): each for version, each in recipes_by_version(python_versions, wanted).items()}
    steps = [
        step
        for minor, each in asked.items()
        for closure in plan_builds(each, targets, minor, store, variants)
        for step in closure
    ]  # fmt: skip
    with progress_display(Console(stderr=True, highlight=False)) as progress:
        pythons = [ensure_build_python(home, minor, progress) for minor in asked]
        added = fill(into.absolute(), steps, pythons, home, progress)
    for path in added.new:
        click.echo(f"{into / path.name}")
    files = len(added.new) + len(added.present)
    click.echo(f"{files} files ({added.size / 1e6:.1f} MB) in {into}, {len(added.new)} of them new", err=True)
