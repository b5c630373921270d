"""Which nodes can run, against what the graph itself says."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from forge.plan.graph import Graph, Node
from forge.plan.readiness import Readiness


def anything(_name: str) -> bool:
    return True


@given(
    seed=st.integers(0, 2**32), count=st.integers(1, 30), edges=st.floats(0, 0.5), failing=st.floats(0, 0.3),
    at_once=st.integers(0, 30),
)  # fmt: skip
def test_every_node_ends_once_after_what_it_needs(
    seed: int, count: int, edges: float, failing: float, at_once: int
) -> None:
    chance = random.Random(seed)
    nodes = [Node(str(n), n % 3 == 0, tuple(str(m) for m in range(n) if chance.random() < edges)) for n in range(count)]
    chance.shuffle(nodes)
    by_name = {node.name: node for node in nodes}
    first = sorted(nodes, key=lambda node: int(node.name))[: max(1, min(at_once, count))]
    later = [node for node in nodes if node not in first]
    ready = Readiness(Graph(first), lambda node: 1.0, lambda node: node.work)
    done: list[str] = []
    lost: dict[str, str] = {}
    if later:
        lost.update(ready.add(later))
    running: list[Node[bool]] = []
    while True:
        for kind in (False, True):
            while (node := ready.take(kind, anything)) is not None:
                assert node.work is kind
                assert all(need in done for need in node.needs)
                running.append(node)
        if not running:
            break
        node = running.pop(chance.randrange(len(running)))
        if chance.random() < failing:
            lost[node.name] = node.name
            for name, because in ready.failed(node.name):
                assert name not in lost
                lost[name] = because
        else:
            done.append(node.name)
            ready.done(node.name)
    assert sorted([*done, *lost]) == sorted(by_name), "each is made, fails or is skipped, once"
    for name, because in lost.items():
        assert lost[because] == because, "because of one that failed itself"
        assert name == because or any(need in lost for need in by_name[name].needs)
    assert not any(need in lost for name in done for need in by_name[name].needs)


def test_the_longest_chain_first_and_what_fits() -> None:
    graph = Graph([Node("short", 0), Node("long", 0), Node("after", 0, ("long",)), Node("last", 0, ("after",))])
    ready = Readiness(graph, lambda node: 1.0, lambda node: False)
    assert ready.take(True, anything) is None
    assert ready.fits_any(False, lambda name: name == "short")
    assert not ready.fits_any(False, lambda name: name == "after")
    taken = ready.take(False, lambda name: name != "long")
    assert taken is not None
    assert taken.name == "short"
    taken = ready.take(False, anything)
    assert taken is not None
    assert taken.name == "long"
    assert not ready.has(False)


def test_what_joins_makes_others_more_urgent() -> None:
    ready = Readiness(Graph([Node("one", 0), Node("two", 0)]), lambda node: 1.0, lambda node: False)
    assert list(ready.add([Node("end", 0, ("middle",)), Node("middle", 0, ("two",))])) == []
    taken = ready.take(False, anything)
    assert taken is not None
    assert taken.name == "two"
