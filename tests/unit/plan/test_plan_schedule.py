"""When nodes of a graph run, with events in place of builds."""

from __future__ import annotations

import random
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from forge.base.errors import BuildError
from forge.base.jobserver import JobServer
from forge.base.process import end_all, run
from forge.plan.graph import Graph, Node
from forge.plan.schedule import Outcome, State, run_graph

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path


class Made:
    """Makes nodes with a function; ``grow`` adds none, and all cost the same."""

    def __init__(
        self,
        make: Callable[[Node[str], Mapping[str, Any]], Any],
        grow: Callable[[Node[str], Any], Iterable[Node[str]]] = lambda node, made: (),
        costs: Mapping[str, float] | None = None,
        memory: Mapping[str, int] | None = None,
    ) -> None:
        self.make, self._grow, self._costs, self._memory = make, grow, costs or {}, memory or {}

    def grow(self, graph: Graph[str], node: Node[str], made: Any) -> Iterable[Node[str]]:
        return self._grow(node, made)

    def cost(self, node: Node[str]) -> float:
        return self._costs.get(node.name, 1.0)

    def memory(self, node: Node[str]) -> int:
        return self._memory.get(node.name, 0)

    def waits(self, node: Node[str]) -> bool:
        return node.name.startswith("download")


def graph(**needs: str) -> Graph[str]:
    return Graph([Node(name, name, tuple(text.split())) for name, text in needs.items()])


def states(outcomes: Mapping[str, Outcome[Any]]) -> dict[str, str]:
    return {name: str(outcome.state) for name, outcome in outcomes.items()}


def test_what_was_made_before_is_given() -> None:
    def work(node: Node[str], made: Mapping[str, str]) -> str:
        return node.name + "(" + "".join(made[name] for name in node.needs) + ")"

    with JobServer(2) as server:
        outcomes = run_graph(graph(a="", b="a", c="a", d="b c"), Made(work), server=server)
    assert outcomes["d"].value == "d(b(a())c(a()))"
    assert states(outcomes) == dict.fromkeys("abcd", "done")


def test_nodes_run_at_once_when_there_are_slots() -> None:
    together = threading.Barrier(3, timeout=20)
    with JobServer(3) as server:
        outcomes = run_graph(graph(a="", b="", c=""), Made(lambda node, made: together.wait()), server=server)
    assert set(states(outcomes).values()) == {"done"}


def test_no_more_nodes_run_than_there_are_slots() -> None:
    guard, running, most = threading.Lock(), 0, 0

    def work(node: Node[str], made: Mapping[str, None]) -> None:
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with guard:
            running -= 1

    with JobServer(2) as server:
        run_graph(graph(**dict.fromkeys("abcdefgh", "")), Made(work), server=server)
    assert most == 2


def test_the_longest_chain_first() -> None:
    ran: list[str] = []
    with JobServer(1) as server:
        run_graph(graph(a="", b="", c="b", d="c", e=""), Made(lambda node, made: ran.append(node.name)), server=server)
        assert ran[0] == "b"
        ran.clear()
        work = Made(lambda node, made: ran.append(node.name), costs={"c": 9.0, "d": 9.0, "e": 20.0})
        run_graph(graph(a="", b="", c="b", d="c", e=""), work, server=server)
    assert ran == ["e", "b", "c", "d", "a"]


def failing(*names: str) -> Callable[[Node[str], Mapping[str, None]], None]:
    def work(node: Node[str], made: Mapping[str, None]) -> None:
        if node.name in names:
            raise BuildError(f"{node.name} does not compile")

    return work


def test_what_needs_what_failed_is_skipped_and_the_rest_is_built() -> None:
    nodes = graph(a="", b="a", c="b", d="a", e="", f="c d")
    with JobServer(2) as server:
        outcomes = run_graph(nodes, Made(failing("b")), server=server, keep_going=True)
    assert states(outcomes) == {
        "a": "done", "b": "failed", "c": "skipped", "d": "done", "e": "done", "f": "skipped",
    }  # fmt: skip
    assert {name: outcome.because for name, outcome in outcomes.items() if outcome.because} == {"c": "b", "f": "b"}
    error = outcomes["b"].error
    assert error is not None
    assert error.message == "b does not compile"


def test_the_first_failure_ends_the_run() -> None:
    with JobServer(1) as server:
        outcomes = run_graph(graph(a="", b="a", c="b", d="c"), Made(failing("b")), server=server)
    assert states(outcomes) == {"a": "done", "b": "failed", "c": "skipped", "d": "skipped"}


def test_what_runs_already_ends_in_peace() -> None:
    started, failed = threading.Event(), threading.Event()

    def work(node: Node[str], made: Mapping[str, str]) -> str:
        if node.name == "slow":
            started.set()
            assert failed.wait(20)
            return "whole"
        assert started.wait(20)
        failed.set()
        raise BuildError("no")

    with JobServer(2) as server:
        outcomes = run_graph(graph(slow="", bad="", later="slow"), Made(work), server=server)
    assert outcomes["slow"].value == "whole"
    assert states(outcomes)["bad"] == "failed"
    assert states(outcomes)["later"] == "skipped"


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt])
def test_what_is_no_failure_of_a_node_comes_through(kind: type[BaseException]) -> None:
    def work(node: Node[str], made: Mapping[str, None]) -> None:
        raise kind("a bug")

    with JobServer(2) as server, pytest.raises(kind, match="a bug"):
        run_graph(graph(a="", b="a"), Made(work), server=server)


def test_an_interruption_ends_what_runs() -> None:
    over = threading.Event()

    def work(node: Node[str], made: Mapping[str, None]) -> None:
        signal.raise_signal(signal.SIGINT)
        assert over.wait(20)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with JobServer(1) as server, pytest.raises(KeyboardInterrupt):
            run_graph(graph(a="", b="a"), Made(work), server=server, stop=over.set)
    finally:
        signal.signal(signal.SIGINT, before)
    assert over.is_set()


def test_an_interruption_ends_what_starts_after_it(tmp_path: Path) -> None:
    """A node that was unpacking when Ctrl-C came, and goes on to compile."""
    stopped, ended = threading.Event(), list[str]()

    def stop() -> None:
        end_all()
        stopped.set()

    def work(node: Node[str], made: Mapping[str, None]) -> None:
        signal.raise_signal(signal.SIGINT)
        assert stopped.wait(20)
        try:
            run(["/bin/sleep", "60"], log=tmp_path / "log", env={}, cwd=tmp_path, what="compile")
        except BuildError as error:
            ended.append(error.message)
            raise

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with JobServer(1) as server, pytest.raises(KeyboardInterrupt):
            run_graph(graph(a="", b="a"), Made(work), server=server, stop=stop)
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended == ["compile: /bin/sleep 60 was killed by SIGTERM"]


def test_what_a_node_made_can_ask_for_more() -> None:
    def grow(node: Node[str], made: str | None) -> Iterable[Node[str]]:
        if node.name == "wheel":
            return [Node("required", "required"), Node("test", "test", ("wheel", "required"))]
        return [Node(f"{node.name}'s own", "")] if node.name == "required" else []

    with JobServer(2) as server:
        outcomes = run_graph(graph(wheel="", user="wheel"), Made(lambda node, made: node.name, grow), server=server)
    assert states(outcomes) == dict.fromkeys(["wheel", "user", "required", "test", "required's own"], "done")


def test_a_failure_can_ask_for_more_too() -> None:
    def grow(node: Node[str], made: object) -> Iterable[Node[str]]:
        return [Node("newer", "newer")] if node.name == "older" and made is None else []

    with JobServer(1) as server:
        outcomes = run_graph(graph(older=""), Made(failing("older"), grow), server=server, keep_going=True)
    assert states(outcomes) == {"older": "failed", "newer": "done"}


def test_what_cannot_be_asked_for_is_the_nodes_failure() -> None:
    def grow(node: Node[str], made: object) -> Iterable[Node[str]]:
        raise BuildError("requires what no recipe builds")

    with JobServer(1) as server:
        outcomes = run_graph(graph(a="", b="a"), Made(lambda node, made: node.name, grow), server=server)
    assert states(outcomes) == {"a": "failed", "b": "skipped"}


def test_nothing_to_do() -> None:
    with JobServer(2) as server:
        assert run_graph(Graph[str]([]), Made(lambda node, made: None), server=server) == {}


@pytest.mark.parametrize("seed", range(20))
def test_any_graph_ends_with_each_node_run_once_at_most(seed: int) -> None:
    chance = random.Random(seed)
    needs = {f"n{i}": " ".join(f"n{j}" for j in range(i) if chance.random() < 0.2) for i in range(25)}
    bad = {f"n{i}" for i in range(25) if chance.random() < 0.1}
    ran: list[str] = []

    def work(node: Node[str], made: Mapping[str, str]) -> str:
        assert set(node.needs) <= set(made)
        ran.append(node.name)
        if node.name in bad:
            raise BuildError(node.name)
        return node.name

    nodes = graph(**needs)
    with JobServer(chance.randint(1, 4)) as server:
        outcomes = run_graph(nodes, Made(work), server=server, keep_going=True)
    assert len(ran) == len(set(ran))
    spoilt = {other for name in bad if name in ran for other in nodes.dependents(name)}
    for name, outcome in outcomes.items():
        wanted = State.SKIPPED if name in spoilt else State.FAILED if name in bad else State.DONE
        assert outcome.state is wanted


def test_nodes_that_do_not_fit_into_memory_wait() -> None:
    running: set[str] = set()
    together: list[set[str]] = []
    guard = threading.Lock()

    def work(node: Node[str], _made: object) -> None:
        with guard:
            running.add(node.name)
            together.append(set(running))
        time.sleep(0.05)
        with guard:
            running.discard(node.name)

    memory = {"big": 60, "bigger": 70, "huge": 1000, "small": 10}
    with JobServer(4) as server:
        outcomes = run_graph(
            graph(big="", bigger="", huge="", small="", unknown=""), Made(work, memory=memory), server=server, room=100
        )
    assert set(states(outcomes).values()) == {"done"}, "what is larger than all there is runs by itself"
    for names in together:
        known = [memory[name] for name in names if name in memory]
        assert len(known) < 2 or sum(known) <= 100, names
    assert any(len(names) > 1 for names in together)
