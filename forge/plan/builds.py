"""Building what was asked for: one graph of all wheels, for all targets and Pythons, which grows while it is built.

A wheel is a node; its host requirements come before it. What a project requires at run time is known once its wheel is
there (`forge.plan.required`), and so is whether that serves newer Pythons too (the stable ABI): such builds join the
graph then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.cpus import cpu_count
from forge.base.errors import ForgeError
from forge.base.hashing import fingerprint
from forge.base.jobserver import JobServer
from forge.base.progress import SilentProgress
from forge.crossbuild.host_prefix import HostPackage
from forge.plan.cache import UNKNOWN_SECONDS, is_cached, read_latest
from forge.plan.closure import closure
from forge.plan.fingerprint import step_inputs
from forge.plan.graph import Graph, Node
from forge.plan.matrix import serves
from forge.plan.request import Request
from forge.plan.required import applying, required_steps
from forge.plan.run import Failure, Result, build_name, build_or_find, publish, subject_of
from forge.plan.schedule import Outcome, State, run_graph
from forge.plan.timeline import Ending, Span
from forge.wheel.contents import read_wheel

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName

    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.crossbuild.context import BuildContext
    from forge.plan.closure import Step
    from forge.plan.shared.cache import SharedCache
    from forge.recipe.model import Recipe
    from forge.recipe.store import RecipeStore

_CACHED_SECONDS = 0.1


@dataclass(frozen=True)
class WheelBuild:
    """What a node of the graph builds.

    Args:
        step: The recipe, evaluated for the target.
        context: Toolchain and Pythons.
        inputs: What its fingerprint covers.
    """

    step: Step
    context: BuildContext
    inputs: Mapping[str, object]

    @cached_property
    def key(self) -> str:
        """The build's fingerprint."""
        return fingerprint(self.inputs)


@dataclass(frozen=True)
class _Made:
    result: Result
    package: HostPackage
    wheel: Path


class _Builds:
    """The work of a run (`forge.plan.schedule.Work`).

    Args:
        requests: What was asked for, the oldest Python first.
        store: Where recipes are found.
        out: Where the wheels go.
        progress: Receives progress updates.
        variants: Variants to build, each in every recipe that declares it.
        done: What was built before: what serves a newer Python is not built again.
        follow: Whether to build what wheels require at run time, too.
        keep_going: Whether a requirement that cannot be met is noted in `failures`, and the rest is built.
        cache: The shared cache, if there is one.
    """

    def __init__(
        self, requests: Sequence[Request], store: RecipeStore, out: Path, progress: Progress,
        variants: Collection[str], done: Sequence[Result], *, follow: bool, keep_going: bool,
        cache: SharedCache | None = None,
    ) -> None:  # fmt: skip
        self.requests, self.store, self.out, self.progress = requests, store, out, progress
        self.variants, self.done, self.follow, self.keep_going = variants, done, follow, keep_going
        self.cache = cache
        self.several = len({request.context.python.minor for request in requests}) > 1
        self.available = frozenset(store.names()) if follow else frozenset()
        self.known = [{s.recipe.normalized_name: s.recipe.version for s in request.steps} for request in requests]
        self.names: dict[str, str] = {}
        """Nodes' names by fingerprint: a pure wheel is one for all targets, a native library one for all Pythons."""
        self.nodes: dict[str, Node[WheelBuild]] = {}
        self.oldest: dict[str, str] = {}
        """Of each recipe and target, the node for the oldest Python."""
        self.newer: dict[str, list[str]] = {}
        """Nodes for newer Pythons, which wait to see whether the wheel of the oldest serves these as well."""
        self.spared: set[str] = set()
        """Nodes that need not be built, since an older Python's wheel serves."""
        self.asked: dict[str, set[int]] = {}
        """The requests that want a node's wheel in the output, by number."""
        self.made: dict[str, _Made] = {}
        self.ended: set[str] = set()
        """Nodes that were made or failed, whose waiting ones have been let go."""
        self.failures: list[Failure] = []

    # What the graph begins with

    def start(self) -> Graph[WheelBuild]:
        """The nodes of what was asked for.

        Raises:
            ForgeError: A requirement cannot be met.
        """
        nodes: list[Node[WheelBuild]] = []
        for number, request in enumerate(self.requests):
            nodes += self._nodes(number, request.steps)
        for number, request in enumerate(self.requests):
            nodes += self._required(number, "what is tested", request.besides)
            for step in request.steps:
                if step.wanted and (result := self._served(step, request)) is not None:
                    nodes += self._follow(number, result.wheel)
        return Graph(nodes)

    def _nodes(self, number: int, steps: Sequence[Step]) -> list[Node[WheelBuild]]:
        """Nodes for steps, without those that are there already, and those that wait for an older Python's."""
        request = self.requests[number]
        inputs = step_inputs(steps, request.context)
        keys = {recipe: fingerprint(each) for recipe, each in inputs.items()}
        linked = {name for step in steps for name in step.host}
        names: dict[NormalizedName, str] = {}
        new: list[Node[WheelBuild]] = []
        for step in steps:
            recipe = step.recipe.normalized_name
            if recipe not in linked and self._served(step, request) is not None:
                continue
            name = self.names.get(keys[recipe])
            if name is None:
                name = self.names[keys[recipe]] = self._name(step, request)
                work = WheelBuild(step, request.context, inputs[recipe])
                node = self.nodes[name] = Node(name, work, tuple(names[each] for each in step.host))
                if step.wanted:
                    self._ask(number, name)
                oldest = self.oldest.setdefault(subject_of(step.recipe.recipe, step.recipe.target), name)
                if oldest == name or recipe in linked:
                    new.append(node)
                elif oldest in self.ended:
                    new += self._after(oldest, [name])
                else:
                    self.newer.setdefault(oldest, []).append(name)
            elif recipe in linked:
                new += self._released(name)
            names[recipe] = name
            if step.wanted and name not in self.spared:
                self._ask(number, name)
        return new

    def _name(self, step: Step, request: Request) -> str:
        subject = subject_of(step.recipe.recipe, step.recipe.target)
        if self.several and not step.recipe.is_native_library:
            subject += f" Python {request.context.python.minor}"
        while subject in self.nodes:  # two of one name differ in what they link
            subject += "'"
        return subject

    def _served(self, step: Step, request: Request) -> Result | None:
        """What was built before this run and serves a request's Python too."""
        subject, minor = subject_of(step.recipe.recipe, step.recipe.target), request.context.python.minor
        return next((r for r in self.done if r.subject == subject and serves(r.wheel.name, minor)), None)

    def _released(self, name: str) -> list[Node[WheelBuild]]:
        """A node that waited or was spared, but is linked after all."""
        if name in self.spared:
            self.spared.remove(name)
            return [self.nodes[name]]
        for waiting in self.newer.values():
            if name in waiting:
                waiting.remove(name)
                return [self.nodes[name]]
        return []

    def _ask(self, number: int, name: str) -> None:
        self.asked.setdefault(name, set()).add(number)
        if name in self.made:
            self._publish(name)

    def _publish(self, name: str) -> None:
        made = self.made[name]
        wheel = publish(made.wheel, self.out)
        self.made[name] = replace(made, result=replace(made.result, wheel=wheel))

    # What schedule.Work asks for

    def make(self, node: Node[WheelBuild], made: Mapping[str, _Made]) -> _Made:
        """Build a wheel, or find it in the cache, and put it into the output if it was asked for."""
        build = node.work
        recipe = build.step.recipe
        host = [made[name].package for name in node.needs]
        result, cached = build_or_find(recipe, build.context, host, self.progress, node.name, self.cache)
        package = HostPackage(
            recipe.normalized_name, recipe.version, cached.path, result.fingerprint, recipe.is_native_library,
            recipe.about.license or "",
        )  # fmt: skip
        subject = subject_of(recipe.recipe, recipe.target)
        self.made[node.name] = _Made(replace(result, subject=subject), package, cached.path)
        if node.name in self.asked:
            self._publish(node.name)
        return self.made[node.name]

    def grow(self, _graph: Graph[WheelBuild], node: Node[WheelBuild], made: _Made | None) -> list[Node[WheelBuild]]:
        """Builds for newer Pythons that the wheel does not serve, and what it requires at run time."""
        self.ended.add(node.name)
        new = self._after(node.name, self.newer.pop(node.name, []))
        for number in sorted(self.asked.get(node.name, ())) if made is not None else ():
            new += self._follow(number, self.made[node.name].wheel)
        return new

    def _after(self, oldest: str, waiting: list[str]) -> list[Node[WheelBuild]]:
        new: list[Node[WheelBuild]] = []
        for place, name in enumerate(waiting):
            minor = self.nodes[name].work.context.python.minor
            if oldest not in self.made or not serves(self.made[oldest].wheel.name, minor):
                self.newer[name] = waiting[place + 1 :]
                return [*new, self.nodes[name]]
            self.spared.add(name)
            for number in sorted(self.asked.pop(name, ())):
                new += self._follow(number, self.made[oldest].wheel)
        return new

    def cost(self, node: Node[WheelBuild]) -> float:
        """Seconds: what such a build took the last time; next to nothing if it need not be run."""
        home, recipe = node.work.context.home, node.work.step.recipe
        if is_cached(home, node.work.key):
            return _CACHED_SECONDS
        latest = read_latest(home, build_name(recipe))
        return UNKNOWN_SECONDS if latest is None else latest.seconds

    # Run requirements

    def _follow(self, number: int, wheel: Path) -> list[Node[WheelBuild]]:
        if not self.follow:
            return []
        return self._required(number, wheel.name, read_wheel(wheel).metadata.requires_dist)

    def _required(self, number: int, who: str, texts: Iterable[str]) -> list[Node[WheelBuild]]:
        request, known = self.requests[number], self.known[number]
        python = request.context.python
        requirements = tuple(applying(texts, request.target, python.full_version))
        try:
            steps = required_steps(
                who, requirements, known, self.available, request.target, python.minor, self.store, self.variants
            )
        except ForgeError as error:
            if not self.keep_going:
                raise
            self.failures.append(Failure(who, error))
            return []
        known.update({step.recipe.normalized_name: step.recipe.version for step in steps})
        return self._nodes(number, steps)


def plan_requests(requests: Sequence[Request], store: RecipeStore, variants: Collection[str] = ()) -> Graph[WheelBuild]:
    """What `build_requests` begins with: everything but what wheels say that they require once they are there.

    Args:
        requests: What is asked for, the oldest Python first.
        store: Where recipes are found.
        variants: Variants to build, each in every recipe that declares it.

    Raises:
        ForgeError: A requirement cannot be met, a compiler is missing, or a file of a recipe cannot be read.
    """
    nowhere = requests[0].context.home.work if requests else Path()
    builds = _Builds(requests, store, nowhere, SilentProgress(), variants, (), follow=True, keep_going=False)
    return builds.start().with_nodes(builds.nodes[name] for waiting in builds.newer.values() for name in waiting)


def build_requests(
    requests: Sequence[Request], store: RecipeStore, out: Path, progress: Progress, *,
    variants: Collection[str] = (), results: list[Result] | None = None, failures: list[Failure] | None = None,
    jobs: int | None = None, follow: bool = True, spans: list[Span] | None = None, cache: SharedCache | None = None,
) -> list[Result]:  # fmt: skip
    """Build all that was asked for, what it needs, and what its wheels require that forge has recipes for.

    Builds run at the same time as far as there are CPUs; what one of them leaves idle serves the others.

    Args:
        requests: What was asked for, the oldest Python first.
        store: Where recipes are found.
        out: Where the wheels go; made if it is not there. Native libraries stay in the cache unless asked for.
        progress: Receives progress updates.
        variants: Variants to build, each in every recipe that declares it.
        results: Where what is done is appended, so that a failure leaves it; None for a new list. What is in it and
            serves a newer Python is not built again for that.
        failures: Where failures are appended, to go on with what does not need what failed; None to raise the first.
        jobs: How many processes may run at once; None for as many as there are CPUs.
        follow: Whether to build what wheels require at run time.
        spans: Where what became of each build is appended, and when it ran.
        cache: The shared cache, if there is one.

    Returns:
        *results*: what was asked for and what is needed to run it.

    Raises:
        ForgeError: The first failure, if *failures* is None; what was built before it is in the output.
    """
    results = [] if results is None else results
    with JobServer(jobs or cpu_count()) as server:
        shared = [replace(request, context=replace(request.context, jobs=server)) for request in requests]
        builds = _Builds(
            shared, store, out, progress, variants, tuple(results), follow=follow, keep_going=failures is not None,
            cache=cache,
        )  # fmt: skip
        try:
            outcomes = run_graph(builds.start(), builds, server=server, keep_going=failures is not None)
        finally:
            wanted = [name for name in builds.nodes if name in builds.asked and name in builds.made]
            results += [builds.made[name].result for name in wanted]
    if spans is not None:
        spans += [_span(name, outcome) for name, outcome in outcomes.items()]
    found = list(builds.failures)
    for name, outcome in sorted(outcomes.items(), key=lambda item: item[1].started):
        if outcome.state is State.FAILED:
            progress.phase(name, "failed")
            found.append(Failure(name, outcome.error))
    if failures is None:
        if found and found[0].error is not None:
            raise found[0].error
        return results
    failures += found
    failures += [
        Failure(name, None, f"{outcome.because} was not built")
        for name, outcome in outcomes.items()
        if outcome.state is State.SKIPPED
    ]
    failures += [
        Failure(name, None, f"{oldest} was not built") for oldest, waiting in builds.newer.items() for name in waiting
    ]
    return results


def _span(name: str, outcome: Outcome[_Made]) -> Span:
    endings = {State.FAILED: Ending.FAILED, State.SKIPPED: Ending.SKIPPED}
    made = Ending.BUILT if outcome.value is not None and outcome.value.result.built else Ending.CACHED
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
    return build_requests(requests, store, out, progress, variants=variants, follow=False)


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
