"""``forge publish``: wheels to where users get them."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource
from rich.console import Console

from forge.base.paths import ForgeHome
from forge.base.printable import printable
from forge.base.target import select_targets
from forge.cli.display import progress_display
from forge.cli.options import (
    chosen_provider,
    ios_version_option,
    names_or_all,
    python_from_option,
    pythons_option,
    variant_option,
    wheels_in,
)
from forge.cli.signer import configured_signer
from forge.index.upstream import ask_pip
from forge.plan.asked import Asked
from forge.plan.in_use import in_use
from forge.publish.built import Built, built_wheels
from forge.publish.model import Gate, PublishError
from forge.publish.plan import plan_publication, refused
from forge.publish.pypirc import refuse_credentials, repository_at, repository_named
from forge.publish.readback import PublicIndex
from forge.publish.renumber import renumbered
from forge.publish.to_index import MadeIndex
from forge.publish.to_repository import UNSEEN, UploadServer
from forge.recipe.store import find_recipes
from forge.source.pip_settings import PipSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from forge.base.progress import Progress
    from forge.base.target import IOSVersion
    from forge.publish.model import Destination, Publication

_OF_RECIPES = ("ios_version", "python_versions", "python_from", "variants", "recipes")
"""Parameters that say what is meant by a recipe's name."""


@click.command()
@click.argument("what", nargs=-1, metavar="[WHEEL|DIR|NAME]...")
@click.option(
    "--built", is_flag=True,
    help="Publish what forge has built of the recipes NAME... (of all, if none is named) as they are now, and what "
    "these wheels require; --python, --ios-version and --variant are those of 'forge build'.",
)  # fmt: skip
@click.option("--to", metavar="DIR|URL", help="An index that forge makes (a directory, s3://...), or https://... of a "
              "server that takes uploads.")  # fmt: skip
@click.option("--repository", metavar="NAME", help="A server by its section of ~/.pypirc; 'pypi' needs no section.")
@click.option(
    "--index-url", metavar="URL", default="",
    help="The simple/ of the index, as users reach it: to see what is there, and to read back. 'none' does not look.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would become of each file, and publish nothing.")
@click.option(
    "--allow", multiple=True, type=click.Choice([gate.value for gate in Gate]),
    help="Publish all the same: without what is not built, with errors of 'forge check', with targets missing, with "
    "requirements that cannot be had, without licence files of what is linked in. May be given several times.",
)  # fmt: skip
@click.option(
    "--build-number", type=click.Choice(["+1"]),
    help="Give wheels of which other bytes are published the next build number.",
)  # fmt: skip
@click.option(
    "--self-contained",
    is_flag=True,
    help="What wheels require has to be in the index itself, rather than in it or the one that pip is configured for.",
)
@ios_version_option
@pythons_option
@python_from_option
@variant_option
@click.option(
    "--recipes", type=click.Path(path_type=Path, file_okay=False), help="Directory that contains the recipes."
)
def publish(
    what: tuple[str, ...],
    built: bool,
    to: str | None,
    repository: str | None,
    index_url: str,
    dry_run: bool,
    allow: tuple[str, ...],
    build_number: str | None,
    self_contained: bool,
    ios_version: IOSVersion,
    python_versions: str,
    python_from: str | None,
    variants: tuple[str, ...],
    recipes: Path | None,
) -> int:
    """Publish wheels, and read them back; of a directory all wheels in it and below it, with --built those of recipes.

    What is there already with the same bytes is skipped, so that an interrupted run can be done again; other bytes
    under a published name are refused. User and password are taken from FORGE_PUBLISH_USERNAME and
    FORGE_PUBLISH_PASSWORD (or TWINE_...), the keyring, ~/.netrc or ~/.pypirc. The exit code is 19 if wheels are
    refused. See docs/publishing.md.
    """
    if (to is None) == (repository is None):
        raise click.UsageError("Say where: either --to or --repository.")
    if index_url not in ("", UNSEEN) and not index_url.startswith(("https://", "http://", "file://")):
        raise click.BadParameter("it is a URL, or 'none'", param_hint="'--index-url'")
    refuse_credentials(index_url)
    context = click.get_current_context()
    for name in () if built else _OF_RECIPES:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError("--ios-version, --python, --python-from, --variant and --recipes go with --built.")
    allowed = {Gate(one) for one in allow}
    asked = Asked(select_targets(ios_version=ios_version), python_versions, chosen_provider(python_from), variants)
    sources = _recipes(what, recipes, asked) if built else _files(what)
    with (
        tempfile.TemporaryDirectory(prefix="forge-publish-") as temporary,
        progress_display(Console(stderr=True, highlight=False)) as progress,
    ):
        destination = _destination(to, repository, index_url, recipes)
        found = sources(Path(temporary), progress)
        missing = () if Gate.BUILT in allowed else found.refusals
        if not found.wheels and not missing:
            raise PublishError("there are no wheels to publish", hint="name wheels, or a directory that has some")
        wheels = renumbered(found.wheels, destination, Path(temporary)) if build_number else found.wheels
        publication = plan_publication(wheels, destination, None if self_contained else ask_pip(), allowed, progress)
        publication = replace(publication, refusals=(*missing, *publication.refusals))
        for one in found.refusals if not missing else ():
            click.echo(printable(f"left out, since it is not built: {one.subject}"), err=True)
        _print(publication, dry_run=dry_run)
        if publication.refusals:
            raise refused(publication)
        if not dry_run:
            _publish(publication, destination, progress)
    return 0


def _files(names: tuple[str, ...]) -> Callable[[Path, Progress], Built]:
    """The wheels that arguments name."""
    if not names:
        raise click.UsageError("Missing argument 'WHEEL|DIR...' (or --built).")
    for name in names:
        if not Path(name).exists():
            raise click.BadParameter(
                f"Path {name!r} does not exist; recipes are named with --built.", param_hint="'WHEEL|DIR...'"
            )
    wheels = tuple(wheels_in(map(Path, names)))
    return lambda _temporary, _progress: Built(wheels, ())


def _recipes(names: tuple[str, ...], recipes: Path | None, asked: Asked) -> Callable[[Path, Progress], Built]:
    """What the caches have of recipes."""
    store, home = find_recipes(recipes), ForgeHome.from_environment()
    wanted = names_or_all(store, names, every=not names)

    def collect(temporary: Path, progress: Progress) -> Built:
        with in_use(home):
            return built_wheels(home, wanted, store, asked, temporary / "built", progress)

    return collect


def _publish(publication: Publication, destination: Destination, progress: Progress) -> None:
    if not publication.new:
        click.echo(f"nothing to do: {destination.name} has all of it", err=True)
        return
    sent = destination.send(publication.new, progress)
    for filename in sent.new:
        click.echo(f"published: {printable(filename)}")
    for filename in sent.same:
        click.echo(f"there already: {printable(filename)}")
    where = destination.read_back(publication.new, progress)
    told = f"read back from {where}" if where else "not read back, since nobody said from where"
    click.echo(printable(f"{len(sent.new)} published to {destination.name}; {told}"), err=True)


def _print(publication: Publication, *, dry_run: bool) -> None:
    for filename in publication.libraries:
        click.echo(f"left out, since it is a native library for builds: {printable(filename)}", err=True)
    for filename in publication.same:
        click.echo(f"there already: {printable(filename)}")
    if dry_run:
        against = {one.subject for one in publication.refusals}
        for subject in sorted(against - {new.held.filename for new in publication.new}):
            if subject.endswith(".whl"):
                click.echo(f"refused: {printable(subject)}")
        for new in publication.new:
            fate = "refused" if {new.held.filename, new.held.project} & against else "new"
            click.echo(f"{fate}: {printable(new.held.filename)} ({new.held.size:,} bytes)")


def _destination(to: str | None, repository: str | None, index_url: str, recipes: Path | None) -> Destination:
    settings = PipSettings.from_pip()
    if repository is not None:
        return UploadServer(repository_named(repository), index_url, settings)
    assert to is not None  # noqa: S101 - one of the two is given
    if to.startswith(("https://", "http://")):
        return UploadServer(repository_at(to), index_url, settings)
    public = PublicIndex(index_url, settings) if index_url not in ("", UNSEEN) else None
    return MadeIndex(to, ForgeHome.from_environment(), public, configured_signer(recipes), find_recipes(recipes))
