"""The graph of all wheels that were asked for, for all targets and Pythons, which grows while it is built.

A wheel is a node; its host requirements come before it, and so does what else it needs that is not there
(`forge.plan.prerequisites`). What a project requires at run time is known once its wheel is there
(`forge.plan.required`), and so is whether that serves newer Pythons too (the stable ABI): such builds join the graph
then.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from forge.base.cpus import cpu_count
from forge.base.errors import ForgeError
from forge.base.hashing import fingerprint
from forge.base.memory import measured
from forge.plan.applying import applying
from forge.plan.cache import UNKNOWN_SECONDS, LatestBuild, is_cached, write_latest
from forge.plan.estimates import estimate, slug
from forge.plan.fingerprint import step_inputs
from forge.plan.graph import Graph, Node
from forge.plan.matrix import serves
from forge.plan.prerequisites import Prerequisite, prerequisites
from forge.plan.provision import PlannedContext
from forge.plan.required import required_steps
from forge.plan.run import Failure, Result, build_afresh, build_or_find, host_package, publish, subject_of
from forge.wheel.contents import read_metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from forge.base.progress import Progress
    from forge.crossbuild.host_prefix import HostPackage
    from forge.plan.closure import Step
    from forge.plan.provision import Context
    from forge.plan.request import Request, RunOptions
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
    context: Context
    inputs: Mapping[str, object]

    @cached_property
    def key(self) -> str:
        """The build's fingerprint."""
        return fingerprint(self.inputs)


Work = WheelBuild | Prerequisite
"""What a node of the graph makes."""


@dataclass(frozen=True)
class Made:
    """A wheel that was built or found: for the output, and for those that link it."""

    result: Result
    package: HostPackage
    wheel: Path


class BuildGraph:
    """The work of a run (`forge.plan.schedule.Work`).

    Args:
        requests: What was asked for, the oldest Python first.
        store: Where recipes are found.
        out: Where the wheels go.
        progress: Receives progress updates.
        options: How the run goes about it.
        done: What was built before: what serves a newer Python is not built again.
        keep_going: Whether a requirement that cannot be met is noted in `failures`, and the rest is built.
    """

    def __init__(
        self, requests: Sequence[Request], store: RecipeStore, out: Path, progress: Progress,
        options: RunOptions, done: Sequence[Result], *, keep_going: bool,
    ) -> None:  # fmt: skip
        self.requests, self.store, self.out, self.progress = requests, store, out, progress
        self.variants, self.done, self.follow, self.keep_going = options.variants, done, options.follow, keep_going
        self.afresh, self.cache, self.executor = frozenset(options.afresh), options.cache, options.executor
        self.jobs = next((r.context.jobs.jobs for r in requests if r.context.jobs is not None), cpu_count())
        self.several = len({request.context.python.minor for request in requests}) > 1
        self.available = frozenset(store.names()) if options.follow else frozenset()
        self.known = [{s.recipe.normalized_name: s.recipe.version for s in request.steps} for request in requests]
        self.names: dict[str, str] = {}
        """Nodes' names by fingerprint: a pure wheel is one for all targets, a native library one for all Pythons."""
        self.nodes: dict[str, Node[WheelBuild]] = {}
        """The wheels; their needs are host requirements alone."""
        self.ground: dict[str, Node[Prerequisite] | None] = {}
        """What else builds need; None for what is there."""
        self.oldest: dict[str, str] = {}
        """Of each recipe and target, the node for the oldest Python."""
        self.newer: dict[str, list[str]] = {}
        """Nodes for newer Pythons, which wait to see whether the wheel of the oldest serves these as well."""
        self.spared: set[str] = set()
        """Nodes that need not be built, since an older Python's wheel serves."""
        self.asked: dict[str, set[int]] = {}
        """The requests that want a node's wheel in the output, by number."""
        self.made: dict[str, Made] = {}
        self.failures: list[Failure] = []
        self.finished: set[str] = set()
        """All nodes that were made or failed, prerequisites too; builds for newer Pythons wait for none of them."""
        self.expected: dict[str, tuple[float, int]] = {}
        self.done_before: dict[str, bool] = {}
        """Whether what a node makes was there when that was asked first."""
        self.told = 0.0

    # What the graph begins with

    def start(self) -> Graph[Work]:
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
        return Graph(self._entering(nodes))

    def waiting(self) -> list[Node[Work]]:
        """What enters the graph if an older Python's wheel turns out not to serve a newer one."""
        return self._entering([self.nodes[name] for names in self.newer.values() for name in names])

    def _entering(self, nodes: Sequence[Node[WheelBuild]]) -> list[Node[Work]]:
        """Nodes as they enter the graph: what is not in the cache comes with what else it needs.

        What is built elsewhere needs nothing here; there, the build itself sees to it.
        """
        entering: list[Node[Work]] = []
        for node in nodes:
            work, names = node.work, []
            if self.executor is None and isinstance(work.context, PlannedContext) and not self._is_done(node):
                for each in prerequisites(work.step.recipe, work.context):
                    if each.name not in self.ground:
                        missing = None if each.work.is_there() else self._without_what_is_there(each)
                        self.ground[each.name] = missing
                        entering += () if missing is None else (missing,)
                    names.append(each.name)
            entering.append(Node(node.name, work, (*node.needs, *self._missing(names))))
        return entering

    def _without_what_is_there(self, node: Node[Prerequisite]) -> Node[Prerequisite]:
        return replace(node, needs=tuple(self._missing(node.needs)))

    def _missing(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if self.ground[name] is not None]

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
                elif oldest in self.finished:
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

    def make(self, node: Node[Work], _made: Mapping[str, Made | None]) -> Made | None:
        """Build a wheel, or find it in the cache, and put it into the output if it was asked for."""
        try:
            if isinstance(node.work, Prerequisite):
                self._prepare(node.name, node.work)
                return None
            return self._build(node, node.work)
        except ForgeError:
            # Now: others may run for hours after it.
            self.progress.phase(node.name, "failed")
            raise

    def _build(self, node: Node[Work], build: WheelBuild) -> Made:
        recipe = build.step.recipe
        host = [self.made[name].package for name in self.nodes[node.name].needs]
        if recipe.normalized_name in self.afresh:
            result, cached = build_afresh(recipe, build.context, host, self.progress, node.name, self.out)
        else:
            result, cached = build_or_find(
                recipe, build.context, host, self.progress, node.name, self.cache, self.executor, build.inputs
            )
        package = host_package(recipe, result, cached)
        subject = subject_of(recipe.recipe, recipe.target)
        self.made[node.name] = Made(replace(result, subject=subject), package, cached.path)
        if node.name in self.asked:
            self._publish(node.name)
        return self.made[node.name]

    def _prepare(self, name: str, work: Prerequisite) -> None:
        """Make what builds need besides wheels."""
        began = time.monotonic()
        self.progress.phase(name, "download" if work.is_download else "make")
        with measured() as peak:
            work.make(self.progress)
        self.progress.phase(name, "done")
        write_latest(work.home, slug(name), LatestBuild("", time.monotonic() - began, peak.bytes))

    def grow(self, graph: Graph[Work], node: Node[Work], made: Made | None) -> list[Node[Work]]:
        """Builds for newer Pythons that the wheel does not serve, and what it requires at run time."""
        self.finished.add(node.name)
        self._tell(graph)
        if isinstance(node.work, Prerequisite):
            return []
        new = self._after(node.name, self.newer.pop(node.name, []))
        for number in sorted(self.asked.get(node.name, ())) if made is not None else ():
            new += self._follow(number, self.made[node.name].wheel)
        return self._entering(new)

    def _tell(self, graph: Graph[Work]) -> None:
        """Tell how much of the whole is done, and about how long the rest takes; no more often than people can read."""
        left = [node for node in graph.nodes.values() if node.name not in self.finished]
        if left and time.monotonic() < self.told + 0.2:
            return
        self.told = time.monotonic()
        costs = {node.name: self.cost(node) for node in left}
        chain = max(graph.lengths(lambda node: costs.get(node.name, 0.0)).values(), default=0.0)
        jobs = self.jobs if self.executor is None else max(1, self.executor.threads)
        seconds = max(chain, sum(costs.values()) / jobs)
        self.progress.whole(len(graph.nodes) - len(left), len(graph.nodes), seconds)

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

    def cost(self, node: Node[Work]) -> float:
        """Seconds: what such a build took the last time; next to nothing if it need not be run."""
        return _CACHED_SECONDS if self._is_done(node) else self._expected(node)[0]

    def memory(self, node: Node[Work]) -> int:
        """Bytes of this machine's: what its programs took the last time."""
        return 0 if self.executor is not None or self._is_done(node) else self._expected(node)[1]

    def _is_done(self, node: Node[Work]) -> bool:
        if node.name not in self.done_before:
            self.done_before[node.name] = self._is_there(node.work)
        return node.name in self.finished or self.done_before[node.name]

    def _is_there(self, work: Work) -> bool:
        # What builds need besides wheels is a node only where it is not there (`_entering`), which has been looked at.
        if isinstance(work, Prerequisite) or work.step.recipe.normalized_name in self.afresh:
            return False
        return is_cached(work.context.home, work.key) or (self.cache is not None and self.cache.has(work.key))

    def _expected(self, node: Node[Work]) -> tuple[float, int]:
        """Seconds and bytes, as far as they are known from earlier runs."""
        if node.name not in self.expected:
            known = estimate(node.name, node.work)
            self.expected[node.name] = (known.seconds or UNKNOWN_SECONDS, known.memory)
        return self.expected[node.name]

    def waits(self, node: Node[Work]) -> bool:
        """Whether a node waits for the network and needs no CPU."""
        return isinstance(node.work, Prerequisite) and node.work.is_download

    # Run requirements

    def _follow(self, number: int, wheel: Path) -> list[Node[WheelBuild]]:
        if not self.follow:
            return []
        return self._required(number, wheel.name, read_metadata(wheel).requires_dist)

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
