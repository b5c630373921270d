"""``forge cache``: tidy up the cache."""

from __future__ import annotations

import click

from forge.base.leftovers import remove_leftovers
from forge.base.paths import ForgeHome


@click.group()
def cache() -> None:
    """Manage the cache of downloads, toolchains, Pythons and wheels."""


@cache.command()
def clean() -> None:
    """Remove what builds that failed or were killed have left; prints what was removed.

    Wheels, Pythons and downloads stay, and so does everything that has changed within the last hour.
    """
    for path in remove_leftovers(ForgeHome.from_environment()):
        click.echo(path)
