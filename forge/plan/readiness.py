"""Which nodes of a graph can run: kept up to date as nodes end, so that a thousand are no more work than ten."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from forge.plan.graph import Graph, Node

T = TypeVar("T")


class Readiness(Generic[T]):
    """The nodes that wait, and those of them that can run, the one that begins the longest chain first.

    Args:
        graph: The graph.
        cost: How long a node takes by itself.
        kind: Sorts nodes into kinds; those of each kind are taken apart from the others'.
    """

    def __init__(self, graph: Graph[T], cost: Callable[[Node[T]], float], kind: Callable[[Node[T]], bool]) -> None:
        self.graph = graph
        self._cost, self._kind = cost, kind
        self._done: set[str] = set()
        self._lost: dict[str, str] = {}
        """Nodes that failed or were skipped, and the one that failed."""
        self._unmet: dict[str, int] = {}
        self._users: dict[str, list[str]] = {}
        self._priority: dict[str, float] = {}
        self._ready: dict[bool, list[tuple[float, int, str]]] = {False: [], True: []}
        self._order = 0
        self._enter(graph.nodes.values())

    def has(self, kind: bool) -> bool:
        """Whether nodes of a kind can run."""
        return bool(self._ready[kind])

    def take(self, kind: bool, fits: Callable[[str], bool]) -> Node[T] | None:
        """Take the most urgent node of a kind that fits; None if there is none."""
        passed_over, found = [], None
        ready = self._ready[kind]
        while ready:
            entry = heapq.heappop(ready)
            if fits(entry[2]):
                found = self.graph.nodes[entry[2]]
                break
            passed_over.append(entry)
        for entry in passed_over:
            heapq.heappush(ready, entry)
        return found

    def fits_any(self, kind: bool, fits: Callable[[str], bool]) -> bool:
        """Whether `take` would find one."""
        return any(fits(name) for _, _, name in self._ready[kind])

    def done(self, name: str) -> None:
        """A node is there: what waited for nothing else can run."""
        self._done.add(name)
        for user in self._users.get(name, ()):
            self._unmet[user] -= 1
            if self._unmet[user] == 0 and user not in self._lost:
                self._push(user)

    def failed(self, name: str) -> Iterator[tuple[str, str]]:
        """A node will never be there: each node that cannot run any more, and the one that failed."""
        self._lost.setdefault(name, name)
        waiting = [name]
        while waiting:
            for user in self._users.get(waiting.pop(), ()):
                if user not in self._lost:
                    self._lost[user] = self._lost[name]
                    waiting.append(user)
                    yield user, self._lost[name]

    def add(self, nodes: Iterable[Node[T]]) -> Iterator[tuple[str, str]]:
        """Further nodes join the graph; as `failed`, those that cannot run.

        Raises:
            GraphError: They are no graph with the others.
        """
        several = tuple(nodes)
        self.graph = self.graph.with_nodes(several)
        new = {node.name for node in several}
        # In the graph's order: one that cannot run takes those with it that come after it.
        yield from self._enter(node for node in self.graph.nodes.values() if node.name in new)
        # What they lengthen has become more urgent.
        for ready in self._ready.values():
            ready[:] = [(-self._priority[name], order, name) for _, order, name in ready]
            heapq.heapify(ready)

    def _enter(self, nodes: Iterable[Node[T]]) -> list[tuple[str, str]]:
        self._priority = self.graph.lengths(self._cost)
        lost = []
        for node in nodes:
            for name in node.needs:
                self._users.setdefault(name, []).append(node.name)
            self._unmet[node.name] = sum(name not in self._done for name in node.needs)
            because = next((self._lost[name] for name in node.needs if name in self._lost), None)
            if because is not None:
                self._lost[node.name] = because
                lost.append((node.name, because))
            elif self._unmet[node.name] == 0:
                self._push(node.name)
        return lost

    def _push(self, name: str) -> None:
        self._order += 1
        heapq.heappush(
            self._ready[self._kind(self.graph.nodes[name])], (-self._priority[name], self._order, name)
        )  # fmt: skip
