"""``forge build``: wheels from recipes."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from forge.base.errors import ForgeError, TrialError
from forge.base.paths import ForgeHome
from forge.cli.build_report import emit_events, print_failures, print_results, write_reports
from forge.cli.display import JSONProgress, progress_display
from forge.cli.options import (
    cache_option,
    chosen_provider,
    chosen_targets,
    jobs_option,
    names_or_all,
    no_deps_option,
    python_from_option,
    pythons_option,
    scheduler_option,
    target_options,
    variant_option,
)
from forge.ios_python.choose import minor_of
from forge.plan.builds import build_requests
from forge.plan.closure import plan_builds, without_run_requirements
from forge.plan.cluster.client import cluster
from forge.plan.in_use import in_use
from forge.plan.matrix import recipes_by_version, serves
from forge.plan.provision import plan_context
from forge.plan.request import RunOptions, requests_for
from forge.plan.run import Failure, subject_of
from forge.plan.shared.cache import shared_cache
from forge.plan.shared.config import read_settings
from forge.recipe.store import find_recipes
from forge.trial.emulator import host_arch
from forge.trial.options import TrialOptions
from forge.trial.report import render_text as render_trial
from forge.trial.run import prepare_recipe

if TYPE_CHECKING:
    from forge.base.target import IOSVersion
    from forge.plan.run import Result
    from forge.plan.timeline import Span
    from forge.trial.report import Trial


@click.command()
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option("--all", "every", is_flag=True, help="Every recipe.")
@target_options
@pythons_option
@python_from_option
@variant_option
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("dist"), show_default=True,
    help="Directory to write the wheels to.",
)  # fmt: skip
@click.option(
    "--test", "tested", is_flag=True, help="Also run the recipes' tests on the simulator wheels for this CPU."
)
@jobs_option
@cache_option
@scheduler_option
@no_deps_option
@click.option(
    "--keep-going", is_flag=True, help="After a failure, go on with what does not need the wheel that failed."
)
@click.option(
    "--continue", "continued", is_flag=True,
    help="Go on with a recipe's build that failed, in its source tree as it is now.",
)  # fmt: skip
@click.option(
    "--timeline", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.html",
    help="Write a page that draws which build ran when.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print events and results as lines of JSON (docs/plan.md).")
@click.option(
    "--recipes", type=click.Path(path_type=Path, file_okay=False), help="Directory that contains the recipes."
)
def build(
    names: tuple[str, ...],
    every: bool,
    abi: str,
    arch: str,
    ios_version: IOSVersion,
    python_versions: str,
    python_from: str | None,
    variants: tuple[str, ...],
    out: Path,
    tested: bool,
    jobs: int | None,
    cache_mode: str | None,
    scheduler: str | None,
    no_deps: bool,
    keep_going: bool,
    continued: bool,
    timeline: Path | None,
    as_json: bool,
    recipes: Path | None,
) -> int:
    """Build the wheels of one or more recipes, for every target unless --abi or --arch selects fewer.

    Wheels already built from the same recipe, source, tools and version of forge are taken from the cache. Required
    recipes are built first. With --test, the exit code is 11 if a test fails; with --keep-going, it is that of the
    first failure.

    With --continue, the back end of the newest build of one recipe that failed is run again without unpacking the
    source, so that edits in the source tree count; --abi, --arch, --python and --variant say which, if there are
    several. Its wheel is not stored in the cache.
    """
    if continued:
        from forge.cli.continued import continue_named, uncached_warning  # noqa: PLC0415 - seldom needed

        result = continue_named(click.get_current_context(), names, find_recipes(recipes), out)
        print_results([result])
        click.echo(uncached_warning(result, names[0]), err=True)
        return 0
    home = ForgeHome.from_environment()
    settings = read_settings(cache_mode)
    targets = chosen_targets(abi, arch, ios_version)
    here = host_arch()
    runnable = [target for target in targets if target.is_simulator and target.arch is here]
    if tested and not runnable:
        raise click.UsageError(
            "--test runs simulator wheels for this machine's CPU, but --abi or --arch excludes them."
        )
    store = find_recipes(recipes)
    wanted = names_or_all(store, names, every=every)
    # Every error of recipes, locks and variants is reported before a toolchain or a Python is made.
    asked = recipes_by_version(python_versions, wanted)
    plans = {version: plan_builds(each, targets, minor_of(version), store, variants) for version, each in asked.items()}
    if no_deps:
        plans = {version: without_run_requirements(each, asked[version]) for version, each in plans.items()}
    results: list[Result] = []
    trials: list[Trial] = []
    failures: list[Failure] = []
    spans: list[Span] = []
    events = JSONProgress() if as_json else None
    try:
        with (
            in_use(home),
            progress_display(Console(stderr=True, highlight=False), events) as progress,
            shared_cache(settings, home, progress) as cache,
            cluster(scheduler, cache, progress, jobs) as executor,
        ):
            contexts = {
                version: plan_context(home, version, targets, chosen_provider(python_from)) for version in asked
            }
            build_requests(
                requests_for(plans, targets, contexts), store, out, progress,
                RunOptions(variants, jobs, follow=not no_deps, cache=cache, executor=executor),
                results=results, failures=failures if keep_going else None, spans=spans,
            )  # fmt: skip
            for version, context in contexts.items():
                there = {each.subject for each in results if serves(each.wheel.name, context.python.minor)}
                for recipe, target in product(asked[version] if tested else (), runnable):
                    if (subject := subject_of(recipe, target)) not in there:
                        continue
                    try:
                        options = TrialOptions(variants=variants)
                        trial = prepare_recipe(
                            recipe, target, context.ready(progress), store, out, progress, options, list(results),
                            cache=cache,
                        ).run(progress)  # fmt: skip
                        trials.append(trial)
                    except ForgeError as error:
                        if not keep_going:
                            raise
                        failures.append(Failure(f"test of {subject}", error))
    finally:
        write_reports(spans, timeline)
        # What was built before a failure too: it is in the output.
        if events is None:
            print_results(results)
            code = print_failures(failures)
        else:
            code = emit_events(events, spans, results, failures, trials)
    for trial in trials if events is None else ():
        click.echo(render_trial(trial), nl=False)
    return code or (0 if all(trial.is_good for trial in trials) else TrialError.exit_code)
