"""``forge cache``: what is in the cache, and tidying it up."""

from __future__ import annotations

import platform
import re
import time
from pathlib import Path

import click

from forge.base.errors import StorageError
from forge.base.leftovers import remove_leftovers
from forge.base.paths import ForgeHome
from forge.plan.cache_report import explain, render_stats, render_table, shown_bytes, to_json
from forge.plan.inventory import find_stored, room_sizes, stored_wheels, verify_wheels
from forge.plan.prune import prune
from forge.plan.shared.config import SIGNING_VARIABLE, TRUSTED_VARIABLE
from forge.plan.shared.configured import config_file
from forge.plan.shared.keys import make_key

_UNITS = {"": 1} | {
    f"{letter}{i}": base**power for power, letter in enumerate("KMGT", start=1) for i, base in (("", 1000), ("I", 1024))
}


class SizeType(click.ParamType[int]):
    """A number of bytes, e.g. ``10G`` or ``512MiB``."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the text, or say what is wrong with it."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?) *([KMGT]?I?)B?", str(value).strip().upper(), flags=re.ASCII)
        if found is None or found[2] not in _UNITS:
            self.fail(f"{value!r} is not a size; expected e.g. 10G, 500M or 20GiB", param, ctx)
        return int(float(found[1]) * _UNITS[found[2]])


@click.group()
def cache() -> None:
    """Manage the cache of downloads, toolchains, Pythons and wheels.

    A cache that several machines share is configured as docs/cache.md describes.
    """


@cache.command()
def clean() -> None:
    """Remove what builds that failed or were killed have left; prints what was removed.

    Wheels, Pythons and downloads stay, and so does everything that has changed within the last hour.
    """
    for path in remove_leftovers(ForgeHome.from_environment()):
        click.echo(path)


@cache.command("list")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON (schemas/cache.schema.json).")
def list_wheels(names: tuple[str, ...], as_json: bool) -> None:
    """List the wheels in the cache, of all recipes or of those named."""
    home = ForgeHome.from_environment()
    wheels = stored_wheels(home, names)
    click.echo(to_json(home, wheels) if as_json else render_table(wheels, time.time()), nl=False)


@cache.command()
@click.argument("which", metavar="FINGERPRINT|WHEEL")
def why(which: str) -> None:
    """Show what a wheel was made from, and how that differs from the latest build of the same name.

    FINGERPRINT may be cut short, as 'forge cache list' prints it. WHEEL is a file, or the name of one.
    """
    home = ForgeHome.from_environment()
    click.echo(explain(home, find_stored(home, which)), nl=False)


@cache.command()
def stats() -> None:
    """Show how much room the cache takes, and for what."""
    home = ForgeHome.from_environment()
    click.echo(render_stats(home, stored_wheels(home), room_sizes(home)), nl=False)


@cache.command()
def verify() -> int:
    """Hash every wheel in the cache again, and remove those that are damaged.

    They are built again when they are needed. If there were any, the exit code is 10.
    """
    found = verify_wheels(ForgeHome.from_environment())
    for path in found.damaged:
        click.echo(f"damaged, removed: {path}")
    busy = f"; {found.busy} in use by another process, not verified" if found.busy else ""
    click.echo(f"{found.whole} intact, {len(found.damaged)} damaged{busy}")
    return StorageError.exit_code if found.damaged else 0


@cache.command("prune")
@click.option("--max-size", type=SizeType(), required=True, metavar="SIZE", help="How large it may be, e.g. 10G.")
def prune_cache(max_size: int) -> None:
    """Remove from the cache until it is no larger than SIZE; prints what was removed.

    Wheels of which there is a later build go first, then downloads, environments and toolchains, then other wheels, the
    least recently used first. iOS Pythons and build Pythons stay. Nothing is removed while another forge runs.
    """
    done = prune(ForgeHome.from_environment(), max_size)
    for path, freed in done.removed:
        click.echo(f"{path}  {shown_bytes(freed)}" if freed else path)
    click.echo(f"{shown_bytes(done.before)} before, {shown_bytes(done.after)} now")
    if done.after > max_size:
        click.echo("The rest is never pruned: iOS Pythons, build Pythons, logs and the like.", err=True)


@cache.command()
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="File to write the private key to.  [default: cache.key beside the configuration file]",
)  # fmt: skip
@click.option("--name", help="What the key is called.  [default: this machine's name, and -1]")
def key(out: Path | None, name: str | None) -> None:
    """Make a key that entries of a shared cache, or files of an index, are signed with; prints its public half.

    The private key is for the machines that write to the shared cache, the public one for the configuration of all
    that read it.
    """
    path = out or config_file().with_name("cache.key")
    own = re.sub(r"[^A-Za-z0-9._-]", "-", platform.node()).lstrip("-._") or "forge"
    public = make_key(name or f"{own}-1", path)
    click.echo(public)
    click.echo(
        f"The private key is in {path}: set {SIGNING_VARIABLE} to it where the shared cache is filled,\n"
        f"and add the line above to {TRUSTED_VARIABLE} where it is read.\n"
        "For the files of an index, FORGE_INDEX_SIGNING_KEY and FORGE_INDEX_TRUSTED_KEYS take their place.",
        err=True,
    )
