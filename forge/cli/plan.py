"""``forge plan``: what a build would do, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource
from packaging.utils import canonicalize_name

from forge.base.cpus import cpu_count
from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
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
from forge.ios_python.choose import minor_of
from forge.plan.builds import plan_requests
from forge.plan.closure import plan_builds
from forge.plan.explain import explain_plan
from forge.plan.in_use import in_use
from forge.plan.matrix import recipes_by_version
from forge.plan.plan_report import reasons, render_text, render_tree, to_dot, to_json, to_mermaid
from forge.plan.provision import plan_context
from forge.plan.request import requests_for
from forge.plan.shared.cache import shared_cache
from forge.plan.shared.config import read_settings
from forge.plan.stages import MOST_JOBS, RUNNER, make_stages, to_matrix
from forge.recipe.store import find_recipes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.base.target import IOSVersion
    from forge.plan.explain import Plan
    from forge.plan.stages import Stage

_FORMATS = {"tree": render_tree, "json": to_json, "dot": to_dot, "mermaid": to_mermaid}


@click.command()
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option("--all", "every", is_flag=True, help="Every recipe.")
@target_options
@pythons_option
@python_from_option
@variant_option
@jobs_option
@cache_option
@click.option("--tree", "shape", flag_value="tree", help="Print a tree: below each build what it needs.")
@click.option("--json", "shape", flag_value="json", help="Print JSON (schemas/plan.schema.json).")
@click.option("--dot", "shape", flag_value="dot", help="Print a graph for Graphviz.")
@click.option("--mermaid", "shape", flag_value="mermaid", help="Print a flowchart for Mermaid.")
@click.option(
    "--matrix", "shape", flag_value="matrix",
    help="Print stages and jobs for GitHub's matrices, as one line of JSON (schemas/matrix.schema.json).",
)  # fmt: skip
@click.option(
    "--max-jobs", type=click.IntRange(1, MOST_JOBS), default=MOST_JOBS, show_default=True, metavar="N",
    help="How many jobs a stage of --matrix may have; the smallest are put together.",
)  # fmt: skip
@click.option(
    "--runner", default=RUNNER, show_default=True, metavar="LABEL", help="The machines that --matrix asks for."
)
@click.option("--why", metavar="RECIPE", help="Print only why the builds of this recipe are not in the cache.")
@click.option(
    "--recipes", type=click.Path(path_type=Path, file_okay=False), help="Directory that contains the recipes."
)
def plan(
    names: tuple[str, ...],
    every: bool,
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
    why: str | None,
    recipes: Path | None,
) -> None:
    """Show what 'forge build' would do with the same arguments, and why.

    Of each build: whether it is in the cache, and otherwise what has changed since it was built last and how long that
    took. What wheels require at run time beyond what their recipes say is known once they are built, and is not shown.
    """
    home = ForgeHome.from_environment()
    targets = chosen_targets(abi, arch, ios_version)
    store = find_recipes(recipes)
    wanted = names_or_all(store, names, every=every)
    asked = recipes_by_version(python_versions, wanted)
    closures = {
        version: plan_builds(each, targets, minor_of(version), store, variants) for version, each in asked.items()
    }
    settings = read_settings(cache_mode)
    with in_use(home), shared_cache(settings, home, SilentProgress()) as cache:
        contexts = {version: plan_context(home, version, targets, chosen_provider(python_from)) for version in asked}
        graph = plan_requests(requests_for(closures, targets, contexts), store, variants, cache)
        if shape == "matrix":
            stages = make_stages(graph, cache, max_jobs)
            _check_jobs(stages, max_jobs)
            click.echo(to_matrix(stages, *_build_arguments(click.get_current_context()), runner), nl=False)
            return
        found = explain_plan(graph, cache)
    if why is not None:
        click.echo(_why(found, why), nl=False)
    elif shape is not None:
        click.echo(_FORMATS[shape](found), nl=False)
    else:
        click.echo(render_text(found, jobs or cpu_count()), nl=False)


def _check_jobs(stages: Sequence[Stage], most: int) -> None:
    for number, stage in enumerate(stages, 1):
        if len(stage) > most:
            raise click.BadParameter(
                f"stage {number} has wheels for {len(stage)} targets and Pythons, and each of these takes a job; "
                f"give at least {len(stage)}, or select fewer with --abi, --arch or --python",
                param_hint="--max-jobs",
            )


def _build_arguments(ctx: click.Context) -> tuple[list[str], list[str]]:
    """What all jobs are to be told of this command line, and what only the last is: all that is asked for."""
    given = ctx.params

    def told(*names: str) -> list[str]:
        words: list[str] = []
        for option in ctx.command.params:
            if option.name in names and ctx.get_parameter_source(str(option.name)) is not ParameterSource.DEFAULT:
                values = given[option.name] if option.multiple else (given[option.name],)
                words += [word for value in values for word in (option.opts[0], str(value))]
        return words

    last = ["--all"] if given["every"] else [*given["names"]]
    return told("ios_version", "python_from", "variants", "recipes"), [*last, *told("abi", "arch", "python_versions")]


def _why(found: Plan, recipe: str) -> str:
    chosen = [b for b in found.builds if canonicalize_name(b.name.partition(" ")[0]) == canonicalize_name(recipe)]
    if not chosen:
        raise click.BadParameter(f"the plan has no build of {recipe!r}", param_hint="--why")
    lines = []
    for build in chosen:
        lines.append(f"{build.name}: {build.doing}")
        lines += [f"    {reason}" for reason in (reasons(build) if build.doing == "build" else ())]
    return "\n".join(lines) + "\n"
