"""``forge shell``: a build, entered by a person."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from forge.base.paths import ForgeHome
from forge.base.printable import printable_lines
from forge.cli.display import progress_display
from forge.cli.one_build import chosen_build, one_build_options, resolve_build
from forge.cli.options import jobs_option, python_from_option
from forge.plan.one_build import enter_build
from forge.plan.which_build import newest_kept
from forge.recipe.store import find_recipes

if TYPE_CHECKING:
    from forge.base.target import IOSVersion
    from forge.plan.one_build import Entered


@click.command()
@click.argument("name", metavar="NAME")
@click.argument("command", nargs=-1, metavar="[-- COMMAND...]")
@one_build_options
@python_from_option
@jobs_option
@click.option(
    "--recipes", type=click.Path(path_type=Path, file_okay=False), help="Directory that contains the recipes."
)
def shell(
    name: str,
    command: tuple[str, ...],
    target: str | None,
    abi: str | None,
    arch: str | None,
    ios_version: IOSVersion | None,
    python_version: str | None,
    python_from: str | None,
    variants: tuple[str, ...],
    jobs: int | None,
    recipes: Path | None,
) -> int:
    """Open a shell in a recipe's build, with exactly its environment, or run a command there.

    A build that failed is entered as it is, the newest of those that the options fit. If there is none, everything up
    to the back end is done first: source, patches, host requirements, compilers; by default for the simulator of this
    machine's CPU. The exit code is the shell's or the command's.
    """
    home = ForgeHome.from_environment()
    choice = chosen_build(target, abi, arch, ios_version, python_version, variants)
    store = find_recipes(recipes)
    recipe = store.load(name)
    newest = newest_kept(home, recipe, choice)
    with progress_display(Console(stderr=True, highlight=False)) as progress:
        one = resolve_build(
            recipe, store, home, progress, choice, newest, python=python_version, python_from=python_from, jobs=jobs
        )
        entered = enter_build(one, progress)
        if newest is not None and newest.key != entered.kept.key:
            text = f"an earlier build was of another recipe, toolchain or forge, and is not entered: {newest.enter}"
            progress.note(one.subject, text)
    if not command:
        click.echo(printable_lines(_introduction(entered)), err=True)
    return _run(entered.kept.enter, command)


def _introduction(entered: Entered) -> str:
    kept = entered.kept
    state = "prepared, its back end has not run" if entered.is_new else "as it was left"
    lines = [
        f"{kept.subject}, Python {kept.python}: {state}",
        f"  source tree  {kept.tree}",
        f"  log          {kept.log}",
        "  the back end runs:",
        *(f"    {line}" for command in kept.commands for line in command.splitlines()),
        "Leave it with 'exit'. Then:",
        f"  forge build {kept.name} --continue   goes on in this tree",
        f"  forge patch {kept.name}              makes a patch of your edits",
    ]
    return "\n".join(lines)


def _run(script: Path, command: tuple[str, ...]) -> int:
    """Run the script that enters a build, to its end; Ctrl-C is the shell's, not forge's."""
    before = signal.signal(signal.SIGINT, lambda *_: None)  # a handler is not inherited, as SIG_IGN would be
    try:
        code = subprocess.call([script, *command])
    finally:
        signal.signal(signal.SIGINT, before)
    return code if code >= 0 else 128 - code
