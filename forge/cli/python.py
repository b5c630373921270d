"""``forge python``: add, build, list and show iOS Pythons."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from forge.base.atomic import atomic_directory
from forge.base.paths import ForgeHome
from forge.cli.display import progress_display
from forge.cli.options import DEFAULT_PYTHON, chosen_provider, chosen_targets, python_from_option, target_options
from forge.ios_python.built import ensure_built
from forge.ios_python.describe import Described, describe, find_described
from forge.ios_python.interface import known_minors
from forge.ios_python.official import add_official, remove_official
from forge.ios_python.product import read_xcframework
from forge.ios_python.releases import find_release
from forge.plan.provision import ensure_toolchain

if TYPE_CHECKING:
    from forge.base.target import IOSVersion


@click.group()
def python() -> None:
    """Add, build, list and show iOS Pythons, which wheels are built against.

    Wheels need none of these commands: for them, forge assembles what a build reads of a Python. They do not depend on
    which Python they were built against either.
    """


@python.command("add")
@click.argument("what", metavar="VERSION|PATH|URL")
@click.option("--sha256", help="What the archive must have; required for a URL.")
def add_python(what: str, sha256: str | None) -> None:
    """Add an official Python for iOS: of python.org, of BeeWare, or of their layout.

    VERSION (e.g. 3.14) downloads the archive that forge has pinned. PATH is an archive or a directory with a
    Python.xcframework in it.
    """
    home = ForgeHome.from_environment()
    with progress_display(Console(stderr=True, highlight=False)) as progress:
        product, layout, lacking = add_official(home, what, sha256, progress)
    click.echo(f"Python {product.version} ({layout.publisher})\n{product.root}")
    for each in lacking:
        click.echo(f"missing: {each}")


@python.command("remove")
@click.argument("version")
def remove_python(version: str) -> None:
    """Remove the official Pythons of VERSION that were added."""
    for directory in remove_official(ForgeHome.from_environment(), version):
        click.echo(f"removed {directory}")


@python.command("build")
@click.argument("version")
@target_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Copy Python.xcframework to this directory.",
)
def build_python(version: str, abi: str, arch: str, ios_version: IOSVersion, out: Path | None) -> None:
    """Build the iOS Python VERSION (e.g. 3.13) from CPython's source, as a Python.xcframework for apps."""
    home = ForgeHome.from_environment()
    release = find_release(version)
    targets = chosen_targets(abi, arch, ios_version)
    with progress_display(Console(stderr=True, highlight=False)) as progress:
        made = ensure_built(home, release, targets, ensure_toolchain(home, progress), progress)
    root = made.root
    if out is not None:
        root = out / "Python.xcframework"
        with atomic_directory(root) as temporary:
            shutil.copytree(made.root, temporary, symlinks=True, dirs_exist_ok=True)
    click.echo(root)


@python.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_pythons(as_json: bool) -> None:
    """List the iOS Pythons: those that were added, those that were built, and those that can be assembled."""
    found = describe(ForgeHome.from_environment())
    if as_json:
        click.echo(json.dumps([each.as_data() for each in found], indent=2))
        return
    for each in found:
        targets = ", ".join(f"{t.multiarch} (iOS {t.ios_version})" for t in each.targets)
        click.echo(f"{each.version}  {each.provider}  {each.origin}")
        if targets:
            click.echo(f"    {targets}")
        if each.path is not None:
            click.echo(f"    {each.path}")
        if each.damage is not None:
            click.echo(f"    {each.damage.message}\n    hint: {each.damage.hint}")
    click.echo(f"\nversions that wheels can be built for: {', '.join(known_minors())}; default: {DEFAULT_PYTHON}")


@python.command()
@click.argument("which", default="")
@python_from_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(which: str, python_from: str | None, as_json: bool) -> None:
    """Show an iOS Python: a version (by default the first of the list) or the path of a Python.xcframework."""
    if which and Path(which).is_dir():
        found = Described.of_product(read_xcframework(Path(which)), None, str(which))
    else:
        found = find_described(ForgeHome.from_environment(), which, chosen_provider(python_from))
    if as_json:
        click.echo(json.dumps(found.as_data(), indent=2))
        return
    click.echo(f"Python {found.version}: {found.provider or 'an XCframework'}, {found.origin}")
    if found.path is not None:
        click.echo(str(found.path))
    for name, version in found.libraries:
        click.echo(f"{name} {version}")
    for target, present, absent in found.modules:
        click.echo(f"\n{target.multiarch}: minimum iOS {target.ios_version}, {len(present)} extension modules")
        click.echo(click.wrap_text(" ".join(present), 100, "    ", "    "))
        if absent:
            click.echo(click.wrap_text(f"absent: {' '.join(absent)}", 100, "    ", "    "))
    for each in found.lacking:
        click.echo(f"missing: {each}")
