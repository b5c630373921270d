"""A graph of what takes time to make: names, what each needs, and what that says about order."""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class Node(Generic[T_co]):
    """One thing to make.

    Args:
        name: Names it in its graph, and for people.
        work: What it is; the graph does not look into it.
        needs: The names of the nodes that must be there before it.
    """

    name: str
    work: T_co
    needs: tuple[str, ...] = ()


class GraphError(ValueError):
    """Nodes that are no graph: two of one name, a node that is missing, or a circle."""


class Graph(Generic[T]):
    """Nodes in an order in which each comes after what it needs.

    Args:
        nodes: The nodes, in any order.

    Raises:
        GraphError: Two have one name, one needs a node that is not there, or some need each other.
    """

    def __init__(self, nodes: Iterable[Node[T]]) -> None:
        by_name: dict[str, Node[T]] = {}
        for node in nodes:
            if node.name in by_name:
                raise GraphError(f"there are two nodes {node.name!r}")
            by_name[node.name] = node
        for node in by_name.values():
            if missing := [name for name in node.needs if name not in by_name]:
                raise GraphError(f"{node.name} needs {missing[0]}, which is not in the graph")
        sorter = TopologicalSorter({node.name: node.needs for node in by_name.values()})
        try:
            order = tuple(sorter.static_order())
        except CycleError as error:
            raise GraphError(f"circular: {' -> '.join(reversed(error.args[1]))}") from None
        self.nodes: Mapping[str, Node[T]] = {name: by_name[name] for name in order}

    def with_nodes(self, nodes: Iterable[Node[T]]) -> Graph[T]:
        """The graph with further nodes.

        Raises:
            GraphError: As for a new one.
        """
        return Graph([*self.nodes.values(), *nodes])

    def dependents(self, name: str) -> frozenset[str]:
        """The names of all nodes that need a node, directly or not."""
        users = self._users()
        return frozenset(_reached(users[name], lambda other: users[other]))

    def lengths(self, cost: Callable[[Node[T]], float]) -> dict[str, float]:
        """How long it takes from the start of each node to the end of the longest chain of nodes that it begins.

        What begins the longest chain is to be started first.

        Args:
            cost: How long a node takes by itself.
        """
        users = self._users()
        lengths: dict[str, float] = {}
        for name in reversed(list(self.nodes)):
            after = max((lengths[user] for user in users[name]), default=0.0)
            lengths[name] = cost(self.nodes[name]) + after
        return lengths

    def critical_path(self, cost: Callable[[Node[T]], float]) -> tuple[str, ...]:
        """The chain of nodes that takes longest: no number of CPUs makes the whole quicker.

        Args:
            cost: How long a node takes by itself.
        """
        lengths, users = self.lengths(cost), self._users()
        path: list[str] = []
        following: Iterable[str] = [name for name, node in self.nodes.items() if not node.needs]
        while name := max(following, key=lambda each: lengths[each], default=None):
            path.append(name)
            following = users[name]
        return tuple(path)

    def _users(self) -> dict[str, list[str]]:
        users: dict[str, list[str]] = {name: [] for name in self.nodes}
        for node in self.nodes.values():
            for name in node.needs:
                users[name].append(node.name)
        return users


def _reached(names: Iterable[str], following: Callable[[str], Iterable[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += following(name)
    return seen
