from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge.plan.graph import Graph, GraphError, Node


def graph(**needs: str) -> Graph[float]:
    """Nodes by name, each with what it needs and how long it takes: ``b="a 3"``."""
    nodes = []
    for name, text in needs.items():
        *before, cost = text.split()
        nodes.append(Node(name, float(cost), tuple(before)))
    return Graph(nodes)


def cost(node: Node[float]) -> float:
    return node.work


DIAMOND = {"d": "b c 1", "b": "a 5", "c": "a 2", "a": "1"}


def test_each_comes_after_what_it_needs() -> None:
    assert list(graph(**DIAMOND).nodes) in (["a", "b", "c", "d"], ["a", "c", "b", "d"])


def test_what_is_needed_and_who_needs_it() -> None:
    diamond = graph(**DIAMOND, e="1")
    assert diamond.dependents("a") == {"b", "c", "d"}
    assert diamond.dependents("d") == frozenset()


def test_the_longest_chain() -> None:
    diamond = graph(**DIAMOND, e="3")
    assert diamond.lengths(cost) == {"d": 1, "c": 3, "b": 6, "a": 7, "e": 3}
    assert diamond.critical_path(cost) == ("a", "b", "d")
    assert Graph[float]([]).critical_path(cost) == ()


@pytest.mark.parametrize(
    ("needs", "message"),
    [
        ({"a": "b 1", "b": "c 1", "c": "a 1"}, "circular"),
        ({"a": "a 1"}, "circular: a -> a"),
        ({"a": "x 1"}, "a needs x, which is not in the graph"),
    ],
)
def test_what_is_no_graph(needs: dict[str, str], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        graph(**needs)


def test_names_are_there_once() -> None:
    with pytest.raises(GraphError, match="two nodes 'a'"):
        Graph([Node("a", 1), Node("a", 2)])


edges = st.lists(st.lists(st.integers(0, 8), max_size=4, unique=True), min_size=1, max_size=9)


@given(edges)
def test_any_graph(wanted: list[list[int]]) -> None:
    needs = {number: [other for other in others if other < number] for number, others in enumerate(wanted)}
    made = Graph([Node(str(n), float(n % 4), tuple(map(str, others))) for n, others in reversed(needs.items())])
    order = list(made.nodes)
    assert all(order.index(before) < order.index(name) for name, node in made.nodes.items() for before in node.needs)
    lengths, path = made.lengths(cost), made.critical_path(cost)
    assert sum(made.nodes[name].work for name in path) == max(lengths.values())
    assert all(one in made.nodes[other].needs for one, other in itertools.pairwise(path))
