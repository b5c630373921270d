"""``forge changed``: the recipes whose wheels a branch changes, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from forge.base.cpus import cpu_count
from forge.base.errors import ForgeError
from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.cli.matrix_options import build_arguments, check_jobs, matrix_options
from forge.cli.options import (
    cache_option,
    chosen_provider,
    chosen_targets,
    jobs_option,
    names_or_all,
    python_from_option,
    pythons_option,
    target_options,
    variant_option,
)
from forge.plan.asked import Asked, plan_asked
from forge.plan.changes.base import checked_out, find_base
from forge.plan.changes.builds import base_builds, builds_of, changed_rooms, check_own_forge
from forge.plan.changes.causes import Around
from forge.plan.changes.compare import Branch, compare
from forge.plan.changes.report import render_text, to_json
from forge.plan.explain import explain_plan
from forge.plan.in_use import in_use
from forge.plan.shared.cache import shared_cache
from forge.plan.shared.config import read_settings
from forge.plan.stages import make_stages, to_matrix
from forge.recipe.model import LOCK_NAME
from forge.recipe.store import find_recipes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.base.target import IOSVersion
    from forge.plan.changes.builds import KnownBuild
    from forge.recipe.model import Recipe


@click.command()
@click.option("--base", "ref", required=True, metavar="REF", help="The branch that this one is to go into.")
@target_options
@pythons_option
@python_from_option
@variant_option
@jobs_option
@cache_option
@click.option("--names", "shape", flag_value="names", help="Print the recipes' names alone, one a line.")
@click.option("--json", "shape", flag_value="json", help="Print JSON (schemas/changed.schema.json).")
@matrix_options
@click.option(
    "--recipes", type=click.Path(path_type=Path, file_okay=False), help="Directory that contains the recipes."
)
def changed(
    ref: str,
    abi: str,
    arch: str,
    ios_version: IOSVersion,
    python_versions: str,
    python_from: str | None,
    variants: tuple[str, ...],
    jobs: int | None,
    cache_mode: str | None,
    shape: str | None,
    max_jobs: int,
    runner: str,
    recipes: Path | None,
) -> None:
    """List the recipes whose wheels differ from those of the merge base of REF and HEAD, and why.

    What counts is the fingerprint of each build: a changed patch, lock, host requirement, toolchain or code of forge
    makes another one, a changed comment or test of a recipe does not. Changes that are not committed count as well.
    Nothing is built or downloaded. docs/plan.md says more.
    """
    home = ForgeHome.from_environment()
    store = find_recipes(recipes)
    directory = store.directory.resolve()
    base = find_base(directory, ref)
    check_own_forge(base.top)
    asked = Asked(chosen_targets(abi, arch, ios_version), python_versions, chosen_provider(python_from), variants)
    every = names_or_all(store, (), every=True)
    options, selection = build_arguments(click.get_current_context())
    with in_use(home), shared_cache(read_settings(cache_mode), home, SilentProgress()) as cache:
        graph = plan_asked(home, every, store, asked, cache)
        branch = Branch(every, builds_of(graph), graph, explain_plan(graph, cache))
        with checked_out(base) as tree:
            there = tree / directory.relative_to(base.top.resolve())
            before: Sequence[KnownBuild] | str
            try:
                before = base_builds(tree, base.top, there, asked, _planning_options(options, selection), home)
            except ForgeError as error:
                first = error.message.splitlines()[0]
                before = f"everything counts as changed: the merge base cannot be planned: {first}"
            around = Around(changed_rooms(tree, base.top), _locks(every, there))
            found = compare(base, before, branch, around)
        if shape == "names":
            click.echo("".join(f"{recipe.name}\n" for recipe in found.recipes), nl=False)
        elif shape == "matrix":
            stages = make_stages(graph, cache, max_jobs, found.names)
            check_jobs(stages, max_jobs)
            last = [*(recipe.name for recipe in found.recipes), *selection] if found.recipes else []
            click.echo(to_matrix(stages, options, last, runner), nl=False)
        else:
            click.echo(to_json(found) if shape == "json" else render_text(found, jobs or cpu_count()), nl=False)


def _planning_options(options: Sequence[str], selection: Sequence[str]) -> tuple[str, ...]:
    """This command line's options as those of the merge base's ``forge plan``, which is told its recipes otherwise."""
    pairs = zip(options[::2], options[1::2], strict=True)
    return (*(word for option, value in pairs if option != "--recipes" for word in (option, value)), *selection)


def _locks(recipes: Sequence[Recipe], there: Path) -> dict[str, tuple[Path, Path]]:
    """Each recipe's lock at the merge base and now."""
    return {recipe.normalized_name: (there / recipe.directory.name / LOCK_NAME, recipe.lock_file) for recipe in recipes}
