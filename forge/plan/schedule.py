"""Running a graph: each node as soon as what it needs is there, the one that begins the longest chain first.

Nodes run in threads, since each waits for processes of its own. How many run at once is up to the slots of a job
server: a node takes one, and the programs that it starts take further ones for what they run in parallel
(`forge.base.jobserver`). Nodes that wait for the network take none.
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from forge.base.errors import ForgeError
from forge.base.memory import available_memory
from forge.base.process import end_all
from forge.plan.readiness import Readiness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager

    from forge.plan.graph import Graph, Node

_SECONDS_TO_STOP = 0.5
"""How long what runs has to end after an interruption, before it is ended once more."""

_WAITING = 4
"""How many nodes that wait for others run at once: downloads, each from a server that limits it."""

T = TypeVar("T")
R = TypeVar("R")


class State(StrEnum):
    """What became of a node."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    """It was not run, because of another that failed, or because the run was ended."""


@dataclass(frozen=True)
class Outcome(Generic[R]):
    """What became of one node.

    Args:
        state: Which way it ended.
        value: What it made, if it is done.
        error: Why it failed.
        because: The name of the node that failed, for one that was skipped because of it.
        started: Seconds from the start of the run.
        seconds: How long it ran.
    """

    state: State
    value: R | None = None
    error: ForgeError | None = None
    because: str = ""
    started: float = 0.0
    seconds: float = 0.0


class Slots(Protocol):
    """How many nodes run at once: a job server's (`forge.base.jobserver`), or those of other machines."""

    jobs: int
    """How many slots there are."""

    def slot(self) -> AbstractContextManager[None]:
        """Hold a slot for the body."""


class Work(Protocol[T, R]):
    """What a run does with nodes. Both functions are called in the threads of the run."""

    def make(self, node: Node[T], made: Mapping[str, R]) -> R:
        """Make a node.

        Args:
            node: The node.
            made: What was made before it, by name.

        Raises:
            ForgeError: It cannot be made.
        """

    def grow(self, graph: Graph[T], node: Node[T], made: R | None) -> Iterable[Node[T]]:
        """The nodes that the run goes on with, besides those of the graph, now that a node has ended.

        Only one thread at a time is in here.

        Args:
            graph: The graph so far.
            node: The node that has ended.
            made: What it made; None if it failed.

        Raises:
            ForgeError: What it made asks for something that cannot be: the node counts as failed.
        """

    def cost(self, node: Node[T]) -> float:
        """How long a node takes by itself, in any unit: what begins the longest chain runs first."""

    def memory(self, node: Node[T]) -> int:
        """How much memory a node is known to take, in bytes; 0 if that is not known."""

    def waits(self, node: Node[T]) -> bool:
        """Whether a node waits for others (the network) and needs no slot."""


@dataclass
class _Run(Generic[T, R]):
    nodes: Readiness[T]
    work: Work[T, R]
    server: Slots
    keep_going: bool
    room: int
    """How much memory nodes may take together, in bytes."""
    began: float = field(default_factory=time.monotonic)
    changed: threading.Condition = field(default_factory=threading.Condition)
    outcomes: dict[str, Outcome[R]] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)
    surprise: BaseException | None = None
    """What is no failure of a node's, but of forge's own: it ends the run."""
    ended: bool = False

    def _has_room(self, name: str) -> bool:
        """Whether there is memory for a node beside those that run; one by itself may take what it likes."""
        nodes = self.nodes.graph.nodes
        if not (wanted := self.work.memory(nodes[name])):
            return True
        taken = sum(self.work.memory(nodes[each]) for each in self.running)
        return not taken or taken + wanted <= self.room

    def can_run(self, *, waits: bool) -> bool:
        """Whether a node can run now: one that waits for others, or one that needs a slot."""
        return not self.is_over() and self.nodes.fits_any(waits, self._has_room)

    def skip(self, lost: Iterable[tuple[str, str]]) -> None:
        for name, because in lost:
            self.outcomes[name] = Outcome(State.SKIPPED, because=because)

    def is_over(self) -> bool:
        return self.ended or self.surprise is not None

    def loop(self, *, waits: bool) -> None:
        """One thread's life: take a slot if nodes need one, run the most urgent node, and again.

        Args:
            waits: Whether it runs the nodes that wait for others, or those that need a slot.
        """
        while True:
            with self.changed:
                while not self.is_over() and not self.can_run(waits=waits) and (
                    self.running or self.nodes.has(not waits)
                ):  # fmt: skip
                    self.changed.wait()
                if not self.can_run(waits=waits):
                    self.changed.notify_all()
                    return
            with contextlib.nullcontext() if waits else self.server.slot():
                with self.changed:
                    node = None if self.is_over() else self.nodes.take(waits, self._has_room)
                    if node is None:
                        continue
                    self.running.add(node.name)
                    made = {name: self.outcomes[name].value for name in node.needs}
                self.run(node, made)  # type: ignore[arg-type]  # what is done has a value, None included

    def run(self, node: Node[T], made: Mapping[str, R]) -> None:
        started = time.monotonic()

        def outcome(state: State, value: R | None = None, error: ForgeError | None = None) -> Outcome[R]:
            return Outcome(state, value, error, "", started - self.began, time.monotonic() - started)

        try:
            end = outcome(State.DONE, self.work.make(node, made))
        except ForgeError as error:
            end = outcome(State.FAILED, error=error)
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that called `run_graph`
            with self.changed:
                self.surprise = self.surprise or error
            end = outcome(State.FAILED)
        with self.changed:
            self.running.discard(node.name)
            if self.surprise is None:
                end = self._grow(node, end)
            self.outcomes[node.name] = end
            if end.state is State.DONE:
                self.nodes.done(node.name)
            else:
                self.skip(self.nodes.failed(node.name))
                self.ended = self.ended or not self.keep_going
            self.changed.notify_all()

    def _grow(self, node: Node[T], end: Outcome[R]) -> Outcome[R]:
        try:
            if new := tuple(self.work.grow(self.nodes.graph, node, end.value)):
                self.skip(self.nodes.add(new))
        except ForgeError as error:
            return replace(end, state=State.FAILED, value=None, error=error)
        except BaseException as error:  # noqa: BLE001 - as above
            self.surprise = error
        return end


def run_graph(
    graph: Graph[T], work: Work[T, R], *, server: Slots, keep_going: bool = False, room: int | None = None,
    stop: Callable[[], object] = end_all,
) -> dict[str, Outcome[R]]:  # fmt: skip
    """Run all nodes of a graph.

    Args:
        graph: The graph.
        work: What is done with its nodes.
        server: Its slots decide how many nodes run at once.
        keep_going: Go on after a failure with what does not need what failed. Otherwise nothing new is started, and
            what runs already is ended in peace.
        room: How much memory nodes may take together, in bytes; None for what is available now.
        stop: Called after an interruption, until nothing runs any more: ends what runs.

    Returns:
        What became of each node, by name, in the graph's order.

    Raises:
        KeyboardInterrupt: The user interrupted it; what ran was ended.
    """
    room = available_memory() if room is None else room
    run = _Run(Readiness(graph, work.cost, work.waits), work, server, keep_going, room)
    kinds = [False] * server.jobs + [True] * _WAITING
    ends: list[threading.Event] = []
    # Nothing begins before all threads are known here: Ctrl-C between the start of one and its place in the list would
    # else close the server under it.
    begin = threading.Event()

    def loop(end: threading.Event, *, waits: bool) -> None:
        begin.wait()
        try:
            if not run.ended:
                run.loop(waits=waits)
        finally:
            end.set()

    try:
        for waits in kinds:
            end = threading.Event()
            threading.Thread(target=loop, args=(end,), kwargs={"waits": waits}, daemon=True).start()
            ends.append(end)
        begin.set()
        # Not Thread.join: before Python 3.13, one that Ctrl-C interrupts takes the thread for ended (gh-90882). And a
        # wait without a limit would not let Ctrl-C through.
        for end in ends:
            while not end.wait(0.2):
                pass
    except BaseException:
        with run.changed:
            run.ended = True
            run.changed.notify_all()
        begin.set()
        stop()
        for end in ends:
            # Again and again: what was unpacking an archive starts its programs only now.
            while not end.wait(_SECONDS_TO_STOP):
                stop()
        raise
    if run.surprise is not None:
        raise run.surprise
    skipped: Outcome[R] = Outcome(State.SKIPPED)
    return {name: run.outcomes.get(name, skipped) for name in run.nodes.graph.nodes}
