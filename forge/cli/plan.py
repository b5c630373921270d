"""``forge plan``: what a build would do, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from packaging.utils import canonicalize_name

from forge.base.cpus import cpu_count
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
from forge.plan.explain import explain_plan
from forge.plan.in_use import in_use
from forge.plan.plan_report import reasons, render_text, render_tree, to_dot, to_json, to_mermaid
from forge.plan.shared.cache import shared_cache
from forge.plan.shared.config import read_settings
from forge.plan.stages import make_stages, to_matrix
from forge.recipe.store import find_recipes

if TYPE_CHECKING:
    from forge.base.target import IOSVersion
    from forge.plan.explain import Plan

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
@matrix_options
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
    store = find_recipes(recipes)
    wanted = names_or_all(store, names, every=every)
    asked = Asked(chosen_targets(abi, arch, ios_version), python_versions, chosen_provider(python_from), variants)
    settings = read_settings(cache_mode)
    with in_use(home), shared_cache(settings, home, SilentProgress()) as cache:
        graph = plan_asked(home, wanted, store, asked, cache)
        if shape == "matrix":
            stages = make_stages(graph, cache, max_jobs)
            check_jobs(stages, max_jobs)
            options, selection = build_arguments(click.get_current_context())
            last = ["--all"] if every else [*names]
            click.echo(to_matrix(stages, options, [*last, *selection], runner), nl=False)
            return
        found = explain_plan(graph, cache)
    if why is not None:
        click.echo(_why(found, why), nl=False)
    elif shape is not None:
        click.echo(_FORMATS[shape](found), nl=False)
    else:
        click.echo(render_text(found, jobs or cpu_count()), nl=False)


def _why(found: Plan, recipe: str) -> str:
    chosen = [b for b in found.builds if canonicalize_name(b.name.partition(" ")[0]) == canonicalize_name(recipe)]
    if not chosen:
        raise click.BadParameter(f"the plan has no build of {recipe!r}", param_hint="--why")
    lines = []
    for build in chosen:
        lines.append(f"{build.name}: {build.doing}")
        lines += [f"    {reason}" for reason in (reasons(build) if build.doing == "build" else ())]
    return "\n".join(lines) + "\n"
