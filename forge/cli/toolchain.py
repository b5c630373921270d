"""``forge toolchain``: what compiles."""

from __future__ import annotations

import click
from rich.console import Console

from forge.base.paths import ForgeHome
from forge.base.target import Abi
from forge.cli.display import progress_display
from forge.plan.provision import ensure_toolchain


@click.group()
def toolchain() -> None:
    """Manage the toolchain: Xcode on a Mac; on Linux, LLVM and an SDK that forge assembles."""


@toolchain.command()
def install() -> None:
    """Download the headers and assemble the iOS SDK. Does not install system packages; see 'forge doctor'."""
    with progress_display(Console(stderr=True, highlight=False)) as progress:
        made = ensure_toolchain(ForgeHome.from_environment(), progress)
    click.echo(made.description)
    for directory in made.path:
        click.echo(f"xcrun: {directory / 'xcrun'}")
    for abi in Abi:
        click.echo(f"{abi}: {made.sdk_path(abi)}")
