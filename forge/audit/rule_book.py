"""A room's rules: read from its ``rules.json``, found by name, chosen by what ``--select`` and ``--ignore`` say."""

from __future__ import annotations

import importlib.resources
import json
from functools import cached_property
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from forge.base.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence


class AnyRule(Protocol):
    """What every rule has."""

    @property
    def id(self) -> str:
        """Stable for ever."""

    @property
    def name(self) -> str:
        """In kebab case; stable too."""

    @property
    def severity(self) -> Severity:
        """How bad it is, unless a check knows better."""

    @property
    def what(self) -> str:
        """What it is, in one sentence."""

    @property
    def why(self) -> str:
        """Why it is wrong."""

    @property
    def mend(self) -> str:
        """What to do about it."""

    @property
    def references(self) -> tuple[str, ...]:
        """Who says so."""


R = TypeVar("R", bound=AnyRule)


class RuleBook(Generic[R]):
    """The rules of one room.

    Args:
        room: The package that ``rules.json`` is in.
        make: Makes a rule of a row's values.
    """

    def __init__(self, room: str, make: Callable[..., R]) -> None:
        self._room, self._make = room, make

    @cached_property
    def rules(self) -> tuple[R, ...]:
        """Every rule, sorted by id."""
        text = importlib.resources.files(self._room).joinpath("rules.json").read_text(encoding="utf-8")
        rows = (
            self._make(**{**row, "severity": Severity(row["severity"]), "references": tuple(row["references"])})
            for row in json.loads(text)
        )
        return tuple(sorted(rows, key=lambda rule: rule.id))

    @cached_property
    def _by_name(self) -> dict[str, R]:
        return {rule.name: rule for rule in self.rules}

    def rule(self, name: str) -> R:
        """The rule of that name.

        Raises:
            KeyError: There is none; a mistake in forge, which its tests find.
        """
        return self._by_name[name]

    def those(self, ids: Collection[str]) -> list[R]:
        """The rules of some ids, sorted by id."""
        return [rule for rule in self.rules if rule.id in ids]

    def select(self, select: Sequence[str], ignore: Sequence[str]) -> frozenset[str]:
        """The ids of the rules that ``--select`` and ``--ignore`` leave.

        Args:
            select: Ids, starts of ids (``IOS2``) or names of rules; empty for all.
            ignore: The same, taken away again.

        Raises:
            KeyError: A word stands for no rule; the word.
        """
        chosen = self._matching(select) if select else {rule.id for rule in self.rules}
        return frozenset(chosen - self._matching(ignore))

    def _matching(self, words: Sequence[str]) -> set[str]:
        found: set[str] = set()
        for word in words:
            ids = {rule.id for rule in self.rules if rule.name == word.lower() or rule.id.startswith(word.upper())}
            if not word or not ids:
                raise KeyError(word)
            found |= ids
        return found
