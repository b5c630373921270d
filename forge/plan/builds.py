"""Building what was asked for: the graph (`forge.plan.build_graph`) is made and run, and its end is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.cpus import cpu_count
from forge.base.jobserver import JobServer
from forge.base.process import end_all
from forge.base.progress import SilentProgress
from forge.plan.build_graph import BuildGraph
from forge.plan.closure import closure
from forge.plan.request import Request, RunOptions
from forge.plan.run import Failure, Result, subject_of
from forge.plan.schedule import Outcome, State, run_graph
from forge.plan.timeline import Ending, Span

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.crossbuild.context import BuildContext
    from forge.plan.build_graph import Made, Work
    from forge.plan.graph import Graph
    from forge.plan.shared.cache import SharedCache
    from forge.recipe.model import Recipe
    from forge.recipe.store import RecipeStore


def plan_requests(
    requests: Sequence[Request], store: RecipeStore, variants: Collection[str] = (), cache: SharedCache | None = None
) -> Graph[Work]:
    """What `build_requests` begins with: everything but what wheels say that they require once they are there.

    Args:
        requests: What is asked for, the oldest Python first.
        store: Where recipes are found.
        variants: Variants to build, each in every recipe that declares it.
        cache: The shared cache, if there is one.

    Raises:
        ForgeError: A requirement cannot be met, a compiler is missing, or a file of a recipe cannot be read.
    """
    nowhere = requests[0].context.home.work if requests else Path()
    options = RunOptions(variants, cache=cache)
    builds = BuildGraph(requests, store, nowhere, SilentProgress(), options, (), keep_going=False)
    return builds.start().with_nodes(builds.waiting())


def build_requests(
    requests: Sequence[Request], store: RecipeStore, out: Path, progress: Progress,
    options: RunOptions = RunOptions(), *,  # noqa: B008 - frozen
    results: list[Result] | None = None, failures: list[Failure] | None = None, spans: list[Span] | None = None,
) -> list[Result]:  # fmt: skip
    """Build all that was asked for, what it needs, and what its wheels require that forge has recipes for.

    Builds run at the same time as far as there are CPUs; what one of them leaves idle serves the others.

    Args:
        requests: What was asked for, the oldest Python first.
        store: Where recipes are found.
        out: Where the wheels go; made if it is not there. Native libraries stay in the cache unless asked for.
        progress: Receives progress updates.
        options: How the run goes about it.
        results: Where what is done is appended, so that a failure leaves it; None for a new list. What is in it and
            serves a newer Python is not built again for that.
        failures: Where failures are appended, to go on with what does not need what failed; None to raise the first.
        spans: Where what became of each build is appended, and when it ran.

    Returns:
        *results*: what was asked for and what is needed to run it.

    Raises:
        ForgeError: The first failure, if *failures* is None; what was built before it is in the output.
    """
    results = [] if results is None else results
    executor = options.executor
    with JobServer(options.jobs or cpu_count()) as server:
        shared = [replace(request, context=replace(request.context, jobs=server)) for request in requests]
        builds = BuildGraph(shared, store, out, progress, options, tuple(results), keep_going=failures is not None)
        try:
            outcomes = run_graph(
                builds.start(), builds, server=executor or server, keep_going=failures is not None,
                stop=end_all if executor is None else executor.stop,
            )  # fmt: skip
        finally:
            wanted = [name for name in builds.nodes if name in builds.asked and name in builds.made]
            results += [builds.made[name].result for name in wanted]
    if spans is not None:
        spans += [_span(name, outcome) for name, outcome in outcomes.items()]
    found = list(builds.failures)
    for name, outcome in sorted(outcomes.items(), key=lambda item: item[1].started):
        if outcome.state is State.FAILED:
            found.append(Failure(name, outcome.error))
    if failures is None:
        if found and found[0].error is not None:
            raise found[0].error
        return results
    failures += found
    failures += [
        Failure(name, None, f"{outcome.because} failed")
        for name, outcome in outcomes.items()
        if outcome.state is State.SKIPPED and name in builds.nodes
    ]
    failures += [
        Failure(name, None, f"{oldest} was not built") for oldest, waiting in builds.newer.items() for name in waiting
    ]
    return results


def _span(name: str, outcome: Outcome[Made | None]) -> Span:
    endings = {State.FAILED: Ending.FAILED, State.SKIPPED: Ending.SKIPPED}
    made = Ending.BUILT if outcome.value is None or outcome.value.result.built else Ending.CACHED
    return Span(name, endings.get(outcome.state, made), outcome.started, outcome.seconds, outcome.because)


def build_all(
    recipes: Sequence[Recipe], targets: Sequence[Target], context: BuildContext, store: RecipeStore, out: Path,
    progress: Progress, variants: Collection[str] = (),
) -> list[Result]:  # fmt: skip
    """Build every recipe for every target, and before it what it links.

    Args:
        recipes: What to build.
        targets: For what.
        context: Toolchain and Pythons.
        store: Where requirements are found.
        out: Where the wheels go.
        progress: Receives progress updates.
        variants: Variants to build, each in every recipe that declares it.

    Raises:
        ForgeError: The first failure; what was built before it is in the cache and in the output.
    """
    # All closures before anything is built, so that a recipe that is wrong is told at once.
    requests = [
        Request(closure(recipes, target, context.python.minor, store, variants), target, context) for target in targets
    ]
    return build_requests(requests, store, out, progress, RunOptions(variants, follow=False))


def build_one(
    recipe: Recipe, target: Target, context: BuildContext, store: RecipeStore, out: Path, progress: Progress,
    variants: Collection[str] = (),
) -> Result:  # fmt: skip
    """Build one recipe for one target, as `build_all` does.

    Raises:
        ForgeError: It, or what it requires, cannot be built, or is not what its recipe promised.
    """
    subject = subject_of(recipe, target)
    results = build_all([recipe], [target], context, store, out, progress, variants)
    return next(result for result in results if result.subject == subject)
