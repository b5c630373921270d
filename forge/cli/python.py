"""``forge python``: build, list and show iOS Pythons."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from forge.base.atomic import atomic_directory
from forge.base.errors import IOSPythonError
from forge.base.paths import ForgeHome
from forge.cli.display import progress_display
from forge.cli.options import chosen_targets, target_options
from forge.ios_python.build import built_pythons, ensure_ios_python
from forge.ios_python.model import IOSPython, read_ios_python
from forge.ios_python.releases import find_release
from forge.plan.provision import ensure_toolchain

if TYPE_CHECKING:
    from forge.base.target import IOSVersion


@click.group()
def python() -> None:
    """Build, list and show iOS Pythons, which wheels are built against."""


@python.command("build")
@click.argument("version")
@target_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Copy Python.xcframework to this directory.",
)
def build_python(version: str, abi: str, arch: str, ios_version: IOSVersion, out: Path | None) -> None:
    """Build the iOS Python VERSION (e.g. 3.13) from CPython's source, as a Python.xcframework."""
    home = ForgeHome.from_environment()
    release = find_release(version)
    targets = chosen_targets(abi, arch, ios_version)
    with progress_display(Console(stderr=True, highlight=False)) as progress:
        made = ensure_ios_python(home, release, targets, ensure_toolchain(home, progress), progress)
    root = made.root
    if out is not None:
        root = out / "Python.xcframework"
        with atomic_directory(root) as temporary:
            shutil.copytree(made.root, temporary, symlinks=True, dirs_exist_ok=True)
    click.echo(root)


@python.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_pythons(as_json: bool) -> None:
    """List the iOS Pythons in the cache."""
    pythons = built_pythons(ForgeHome.from_environment())
    if as_json:
        click.echo(json.dumps([_describe(p) for p in pythons], indent=2))
        return
    if not pythons:
        click.echo("no iOS Python has been built yet; run 'forge python build 3.13'")
    for found in pythons:
        targets = ", ".join(f"{t} (iOS {t.ios_version})" for t in found.targets)
        click.echo(f"{found.version}  {targets}\n    {found.root}")


@python.command()
@click.argument("which", default="")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(which: str, as_json: bool) -> None:
    """Show an iOS Python: a version in the cache (by default the newest) or the path of a Python.xcframework."""
    found = _find(which)
    if as_json:
        click.echo(json.dumps(_describe(found), indent=2))
        return
    click.echo(f"Python {found.version}\n{found.root}")
    for target in found.targets:
        modules = found.extension_modules(target)
        click.echo(f"\n{target}: minimum iOS {target.ios_version}, {len(modules)} extension modules")
        click.echo(click.wrap_text(" ".join(modules), 100, "    ", "    "))


def _find(which: str) -> IOSPython:
    if which and Path(which).is_dir():
        return read_ios_python(Path(which))
    for found in built_pythons(ForgeHome.from_environment()):
        if which in ("", found.version, found.minor):
            return found
    raise IOSPythonError(
        f"iOS Python {which} not found" if which else "no iOS Python found",
        hint=f"run 'forge python build {which or '3.13'}'",
    )


def _describe(found: IOSPython) -> dict[str, object]:
    return {
        "version": found.version,
        "path": str(found.root),
        "targets": [
            {
                "multiarch": target.multiarch,
                "ios_version": str(target.ios_version),
                "extension_modules": list(found.extension_modules(target)),
            }
            for target in found.targets
        ],
    }
