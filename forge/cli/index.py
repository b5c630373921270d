"""``forge index``: a package index of files, made, changed and looked over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from forge.base.paths import ForgeHome
from forge.base.printable import printable
from forge.base.target import select_targets
from forge.cli.display import progress_display
from forge.cli.options import target_choice, wheels_in
from forge.index.make import make_index, rewrite
from forge.index.model import PackageIndexError
from forge.index.yank import yanked
from forge.recipe.store import find_recipes

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
@click.option(
    "--check", "checks", is_flag=True, help="Run 'forge check' on what is added; its page says what was found."
)
def make(
    place: str, wheels: tuple[Path, ...], name: str | None, url: str | None, afresh: bool, checks: bool
) -> None:  # fmt: skip
    """Add wheels to the index in DIR, or at an s3:// URL; it is made if there is none.

    Of a directory, all wheels in it and below it are added. A file that is in the index never changes: other bytes of
    the same name are refused. Readers see each page whole, and no page before the files that it names. If a signing key
    is configured, each file gets a signed statement of what it was built from (docs/index.md).
    """
    from forge.cli.signer import configured_signer  # noqa: PLC0415 - takes as long as all else to import
    from forge.index.evidence import Witness  # noqa: PLC0415 - likewise

    files = wheels_in(wheels)
    if url is not None and not url.startswith(("https://", "http://")):
        raise click.BadParameter("it starts with https:// or http://", param_hint="'--url'")
    if url is not None and not url.endswith("/"):
        url += "/"
    with progress_display(Console(stderr=True, highlight=False)) as progress:
        made = make_index(
            place, files, ForgeHome.from_environment(), progress,
            name=name, url=url, afresh=afresh, signer=configured_signer(), witness=Witness(find_recipes(), {}, checks),
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


@index.command("promote")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.argument("what", nargs=-1, metavar="[NAME[==VERSION]|FILE]...")
@click.option("--dry-run", is_flag=True, help="Say what would become of each file, and change nothing.")
def promote_files(source: str, target: str, what: tuple[str, ...], dry_run: bool) -> None:
    """Copy files from one index into another, e.g. from one for tests into the one that users have.

    FROM is a directory, or an s3, http or https URL; TO is a directory or an s3 URL, and is made if there is none. All
    files are copied, or those named, each with the same bytes. What is yanked in FROM is yanked in TO too, and is
    copied only if its version or file is named. If TO has other bytes of a file, nothing is copied.
    """
    from forge.index.promote import promote  # noqa: PLC0415 - seldom needed

    with progress_display(Console(stderr=True, highlight=False)) as progress:
        done = promote(source, target, what, ForgeHome.from_environment(), progress, dry_run=dry_run)
    for filename in done.same:
        click.echo(f"there already: {printable(filename)}")
    for filename in done.yanked:
        click.echo(f"yanked: {printable(filename)}")
    for filename in done.signed:
        click.echo(f"signed statements added: {printable(filename)}")
    for filename in done.passed_over:
        click.echo(f"left out, since it is yanked: {printable(filename)}", err=True)
    for file in done.new:
        click.echo(f"{'new' if dry_run else 'added'}: {printable(file.filename)} ({file.size:,} bytes)")
    click.echo(f"{len(done.new)} {'to add' if dry_run else 'added'}, {len(done.same)} there already", err=True)


@index.command()
@click.argument("place", metavar="DIR|URL")
@click.option("--offline", is_flag=True, help="Do not ask the package index that pip is configured for.")
@click.option("--cache", "against_cache", is_flag=True, help="Also compare files with what this machine has built.")
@target_choice
def verify(place: str, offline: bool, against_cache: bool, abi: str, arch: str) -> int:
    """Look for what is wrong with an index: damaged files, stale pages, missing targets, dangling requirements.

    What wheels require is looked for in the index and in the one that pip is configured for, which is also asked for
    newer versions that installers would take instead, and for iOS wheels of the same versions: these are downloaded and
    compared. Signed statements are verified with the keys and identities of [index] in config.toml; if there are any,
    every file has to be signed with one of them. With --abi or --arch, wheels for other targets are not missed. The
    exit code is 16 if anything is wrong.
    """
    from forge.index.trust import index_settings  # noqa: PLC0415 - imports cryptography's
    from forge.index.verify import Against, verify_index  # noqa: PLC0415 - as above
    from forge.lint.upstream import Upstream  # noqa: PLC0415 - imports the HTTP client
    from forge.source.pip_settings import PipSettings  # noqa: PLC0415 - as above

    trust = index_settings().trust
    with progress_display(Console(stderr=True, highlight=False)) as progress:
        home = ForgeHome.from_environment()
        upstream = None if offline else Upstream(home, progress, PipSettings.from_pip())
        against = Against(upstream, trust, home if against_cache else None, select_targets(abi, arch))
        faults = verify_index(place, progress, against)
    for fault in faults:
        click.echo(printable(f"{fault.kind}: {fault.subject}: {fault.message}"))
    wrong, notes = sum(fault.is_wrong for fault in faults), sum(not fault.is_wrong for fault in faults)
    end = f"; {notes} {'note' if notes == 1 else 'notes'}" if notes else ""
    count = {0: "nothing is wrong", 1: "1 thing is wrong"}.get(wrong, f"{wrong} things are wrong")
    click.echo(f"{count}{end}", err=True)
    return PackageIndexError.exit_code if wrong else 0


@index.command()
@click.argument("place", metavar="DIR|URL")
@click.argument("what", nargs=-1, metavar="[NAME[==VERSION]|FILE]...")
def sign(place: str, what: tuple[str, ...]) -> None:
    """Sign files of an index that are not signed with the configured key or identity: all, or those named.

    What others have signed stays. The key is signing-key of [index] in config.toml, or FORGE_INDEX_SIGNING_KEY; with
    sigstore = true there, or FORGE_INDEX_SIGSTORE=1, files are signed with the identity of the CI job that this is.
    """
    from forge.cli.signer import configured_signer  # noqa: PLC0415 - as above
    from forge.index.signing import sign_files  # noqa: PLC0415 - as above
    from forge.index.trust import SIGNING_VARIABLE  # noqa: PLC0415 - as above

    signer = configured_signer()
    if signer is None:
        raise PackageIndexError(
            "there is no key to sign with",
            hint=f"make one with 'forge cache key --out index.pem', and set {SIGNING_VARIABLE} to its file",
        )
    with progress_display(Console(stderr=True, highlight=False)) as progress:
        names = sign_files(place, what, signer, ForgeHome.from_environment(), progress)
    for filename in names:
        click.echo(f"signed: {printable(filename)}")
    click.echo(f"{len(names)} signed with {signer.signatory}", err=True)


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
@click.option("--access-log", is_flag=True, help="Print a line for each request.")
def serve(
    directory: Path, host: str, port: int, upstream: str | None, tokens: Path | None, access_log: bool
) -> None:  # fmt: skip
    """Serve an index that 'forge index make' made, until Ctrl-C; it may change meanwhile.

    Clients get JSON or HTML as they ask for it, other spellings of names are redirected, files can be had in ranges.
    /health says whether all is well.
    """
    from forge.cli.index_server import serve_index  # noqa: PLC0415 - imports the web server

    serve_index(directory, host, port, upstream, tokens, access_log=access_log)


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
