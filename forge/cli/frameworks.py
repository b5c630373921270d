"""``forge frameworks``: wheels as an app holds them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from forge.base.errors import WheelError
from forge.base.target import Abi, Arch
from forge.cli.options import IOSVersionType, provided_option
from forge.frameworks.findings import FrameworksError, render_text
from forge.frameworks.identifiers import DEFAULT_BUNDLE_ID, check_bundle_id
from forge.frameworks.layout import XCFRAMEWORKS
from forge.frameworks.make import make_frameworks
from forge.frameworks.options import Options

if TYPE_CHECKING:
    from forge.base.target import IOSVersion


def _bundle_id(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        return check_bundle_id(value)
    except FrameworksError as error:
        raise click.BadParameter(f"{error.message} ({error.hint})") from error


@click.command()
@click.argument(
    "wheels", nargs=-1, required=True, metavar="WHEEL...", type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True,
    help="Where the trees go: a new or empty directory, or one that this command made, which is replaced.",
)  # fmt: skip
@click.option(
    "--abi", type=click.Choice([*(a.value for a in Abi), "all"]), default="all", show_default=True,
    help="Device or simulator; all is what there are wheels for.",
)  # fmt: skip
@click.option(
    "--bundle-id", default=DEFAULT_BUNDLE_ID, show_default=True, callback=_bundle_id,
    help="The app's identifier, which those of the frameworks start with.",
)  # fmt: skip
@click.option("--xcframework", "xcframeworks", is_flag=True, help=f"Make {XCFRAMEWORKS}/*.xcframework too.")
@click.option(
    "--ios-version", type=IOSVersionType(), help="The app's minimum iOS version; by default each framework's own."
)
@click.option(
    "--prefer", type=click.Choice([a.value for a in Arch]),
    help="Whose file to take where the simulators' wheels differ in one that is no code; an error by default.",
)  # fmt: skip
@click.option(
    "--exclude", multiple=True, metavar="PATTERN",
    help="Leave out installed files that match, e.g. 'pkg/tests/*'; may be given several times.",
)  # fmt: skip
@provided_option
def frameworks(
    wheels: tuple[Path, ...],
    out: Path,
    abi: str,
    bundle_id: str,
    xcframeworks: bool,
    ios_version: IOSVersion | None,
    prefer: str | None,
    exclude: tuple[str, ...],
    provided: tuple[str, ...],
) -> int:
    """Make of wheels what an app build makes of them: packages without native code, and a framework for each module.

    OUT/<abi> has app_packages and Frameworks as they are in the app. The exit code is 9 if something is wrong; then
    nothing is written.
    """
    abis = None if abi == "all" else (Abi(abi),)
    options = Options(abis, bundle_id, ios_version, xcframeworks, Arch(prefer) if prefer else None, exclude, provided)
    made = make_frameworks(wheels, out, options)
    click.echo(render_text(made.findings), nl=False)
    if made.directory is None:
        click.echo("nothing is written")
        return WheelError.exit_code
    for tree in made.trees:
        said = f"{_count(len(tree.plan.packages), 'package')}, {_count(len(tree.frameworks), 'framework')}"
        click.echo(f"{made.directory / tree.plan.abi}: {said} for {', '.join(tree.plan.arches)}")
    if xcframeworks:
        count = len({name for tree in made.trees for name in tree.frameworks})
        click.echo(f"{made.directory / XCFRAMEWORKS}: {_count(count, 'XCframework')}")
    return 0


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
