"""``forge build --continue``: a build that failed, gone on with in its own source tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.core import ParameterSource
from rich.console import Console

from forge.base.paths import ForgeHome
from forge.base.target import Abi, Arch
from forge.cli.display import progress_display
from forge.cli.one_build import resolve_build
from forge.ios_python.choose import minor_of
from forge.plan.one_build import continue_build
from forge.plan.which_build import Choice, need_kept

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from forge.plan.run import Result
    from forge.recipe.store import RecipeStore

_OTHERS = {"every": "--all", "tested": "--test", "keep_going": "--keep-going", "timeline": "--timeline"}
"""Options of ``forge build`` that are about several builds, or about wheels that are the recipe's."""


def continue_named(context: click.Context, names: Sequence[str], store: RecipeStore, out: Path) -> Result:
    """Go on with the newest of a recipe's builds that were kept, and say that its wheel is not the recipe's.

    Args:
        context: The command's context: an option that was not given narrows nothing, whatever its default is.
        names: What NAME... said.
        store: Where recipes are found.
        out: Where the wheel goes.

    Raises:
        click.UsageError: The arguments are not about one build.
        ForgeError: There is no such build, or it failed again.
    """
    given = {name: value for name, value in context.params.items() if _is_given(context, name)}
    if wrong := [option for name, option in _OTHERS.items() if name in given]:
        raise click.UsageError(f"--continue cannot be combined with {wrong[0]}.")
    if len(set(names)) != 1:
        raise click.UsageError("--continue goes on with one build: give the name of one recipe.")
    python = given.get("python_versions")
    if python is not None and ("," in python or python == "all"):
        raise click.UsageError("--continue goes on with one build: give one version with --python.")
    abi, arch = given.get("abi", "all"), given.get("arch", "all")
    choice = Choice(
        None if abi == "all" else Abi(abi), None if arch == "all" else Arch(arch), given.get("ios_version"),
        None if python is None else minor_of(python), given.get("variants", ()),
    )  # fmt: skip
    home = ForgeHome.from_environment()
    recipe = store.load(names[0])
    kept = need_kept(home, recipe, choice)
    with progress_display(Console(stderr=True, highlight=False)) as progress:
        one = resolve_build(
            recipe, store, home, progress, choice, kept,
            python=python, python_from=context.params["python_from"], jobs=context.params["jobs"],
        )  # fmt: skip
        return continue_build(one, kept, out, progress)


def uncached_warning(result: Result, name: str) -> str:
    """What has to be known of a wheel that a continued build made.

    Args:
        result: The build.
        name: The recipe's name.
    """
    return (
        f"warning: {result.wheel.name}: built in a source tree that may have been edited, so it is not in the cache; "
        f"'forge patch {name}' makes a patch of the edits, and 'forge build {name}' builds from a clean tree"
    )


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) not in (ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP, None)
