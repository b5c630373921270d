"""``forge index``: a package index of files, made, changed and looked over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from forge.base.paths import ForgeHome
from forge.base.printable import printable
from forge.cli.display import progress_display
from forge.cli.options import wheels_in
from forge.index.make import make_index, rewrite
from forge.index.model import PackageIndexError
from forge.index.yank import yanked

if TYPE_CHECKING:
    from forge.index.model import IndexState


@click.group()
def index() -> None:
    """Make a package index that any web server or object store serves, and look after it (docs/index.md)."""


@index.command()
@click.argument("place", metavar="DIR|URL")
@click.argument("wheels", nargs=-1, metavar="[WHEEL|DIR]...", type=click.Path(path_type=Path, exists=True))
@click.option("--name", help="What the index is called on its pages.")
@click.option(
    "--url", metavar="URL", help="Where users will find its simple/, e.g. https://wheels.example.org/simple/."
)
@click.option("--afresh", is_flag=True, help="Write every page anew, as after an upgrade of forge.")
def make(place: str, wheels: tuple[Path, ...], name: str | None, url: str | None, afresh: bool) -> None:
    """Add wheels to the index in DIR, or at an s3:// URL; it is made if there is none.

    Of a directory, all wheels in it and below it are added. A file that is in the index never changes: other bytes of
    the same name are refused. Readers see each page whole, and no page before the files that it names.
    """
    files = wheels_in(wheels)
    if url is not None and not url.startswith(("https://", "http://")):
        raise click.BadParameter("it starts with https:// or http://", param_hint="'--url'")
    if url is not None and not url.endswith("/"):
        url += "/"
    with progress_display(Console(stderr=True, highlight=False)) as progress:
        made = make_index(
            place, files, ForgeHome.from_environment(), progress,
            name=name, url=url, afresh=afresh,
        )  # fmt: skip
    for filename in made.added:
        click.echo(f"added: {printable(filename)}")
    for filename in made.libraries:
        click.echo(f"left out, since it is a native library for builds: {printable(filename)}", err=True)
    there = f", {len(made.same)} were there already" if made.same else ""
    click.echo(f"{len(made.added)} added{there}; {made.files} files of {made.projects} projects", err=True)


@index.command()
@click.argument("place", metavar="DIR|URL")
@click.argument("what", metavar="NAME==VERSION|FILE")
@click.option("--reason", default="", help="Why, for who sees it.")
def yank(place: str, what: str, reason: str) -> None:
    """Tell installers to avoid a version, or one file: they take it only if just that version is asked for."""
    _rewritten(place, what, reason)


@index.command()
@click.argument("place", metavar="DIR|URL")
@click.argument("what", metavar="NAME==VERSION|FILE")
def unyank(place: str, what: str) -> None:
    """Take a yank back."""
    _rewritten(place, what, None)


@index.command()
@click.argument("place", metavar="DIR|URL")
@click.option("--offline", is_flag=True, help="Do not ask the package index that pip is configured for.")
def verify(place: str, offline: bool) -> int:
    """Look for what is wrong with an index: damaged files, stale pages, missing targets, dangling requirements.

    What wheels require is looked for in the index and in the one that pip is configured for, which is also asked for
    newer versions that installers would take instead. The exit code is 16 if anything is wrong.
    """
    from forge.index.upstream import ask_pip  # noqa: PLC0415 - imports the HTTP client
    from forge.index.verify import verify_index  # noqa: PLC0415

    with progress_display(Console(stderr=True, highlight=False)) as progress:
        faults = verify_index(place, progress, None if offline else ask_pip())
    for fault in faults:
        click.echo(printable(f"{fault.kind}: {fault.subject}: {fault.message}"))
    click.echo("nothing is wrong" if not faults else f"{len(faults)} things are wrong", err=True)
    return PackageIndexError.exit_code if faults else 0


@index.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option(
    "--upstream", metavar="URL",
    help="Another index behind this one: it has what this one has not, and its files of the same projects are listed "
    "after this one's. 'pip' is the index that pip is configured for.",
)  # fmt: skip
@click.option(
    "--tokens", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE",
    help="Let in only who has a user and password of this file: 'user:password', one a line.",
)  # fmt: skip
def serve(directory: Path, host: str, port: int, upstream: str | None, tokens: Path | None) -> None:
    """Serve an index that 'forge index make' made, until Ctrl-C; it may change meanwhile.

    Clients get JSON or HTML as they ask for it, other spellings of names are redirected, files can be had in ranges.
    /health says whether all is well.
    """
    from forge.cli.index_server import serve_index  # noqa: PLC0415 - imports the web server

    serve_index(directory, host, port, upstream, tokens)


def _rewritten(place: str, what: str, reason: str | None) -> None:
    home = ForgeHome.from_environment()
    before: dict[str, str | None] = {}

    def change(state: IndexState) -> IndexState:
        after = yanked(state, what, reason)
        before.update({n: f.yanked for n, f in state.files.items() if f.yanked != after.files[n].yanked})
        return after

    rewrite(place, home, change)
    for filename in sorted(before):
        click.echo(f"{'unyanked' if reason is None else 'yanked'}: {printable(filename)}")
