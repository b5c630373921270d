"""What recipes require of each other by version, and how that follows when one of them is updated."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from forge.recipe.document import parse_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packaging.utils import NormalizedName

    from forge.recipe.document import Path as DataPath
    from forge.recipe.model import Recipe

_LISTS: tuple[DataPath, ...] = (("build", "requires"), ("requirements", "host"), ("requirements", "run"))
_OF_PYTHON = ("build", "requires")
"""What the build side installs comes from the index, of any version; only a pin to a recipe's version follows it."""


@dataclass(frozen=True)
class Move:
    """A recipe's change of version.

    Args:
        before: The version that it has.
        after: The one that it gets.
    """

    before: str
    after: str


@dataclass(frozen=True)
class Following:
    """What moves of others mean for a recipe.

    Args:
        values: The requirements that follow, by path.
        names: The recipes that they follow.
        broken: Requirements that do not admit the new version of a recipe, and which recipe.
    """

    values: Mapping[DataPath, str] = field(default_factory=dict)
    names: tuple[NormalizedName, ...] = ()
    broken: tuple[tuple[str, NormalizedName], ...] = ()

    @property
    def renews_lock(self) -> bool:
        """Whether a build requirement changes."""
        return any(path[:2] == _OF_PYTHON for path in self.values)


def following(recipe: Recipe, moves: Mapping[NormalizedName, Move]) -> Following:
    """The requirements of a recipe that name a version which others move away from.

    Args:
        recipe: The recipe.
        moves: The recipes that move.
    """
    values: dict[DataPath, str] = {}
    names: dict[NormalizedName, None] = {}
    broken: list[tuple[str, NormalizedName]] = []
    for path, text in _requirements(recipe):
        try:
            requirement = Requirement(text)
        except InvalidRequirement:  # a variable stands in it, and what it says is known for each build only
            continue
        name = canonicalize_name(requirement.name)
        move = moves.get(name)
        if (
            move is None
            or name == recipe.normalized_name
            or requirement.specifier.contains(move.after, prereleases=True)
        ):
            continue
        new = re.sub(rf"(===?\s*){re.escape(move.before)}(?![\w.!+*-])", rf"\g<1>{move.after}", text)
        if new != text and Requirement(new).specifier.contains(move.after, prereleases=True):
            values[path] = new
            names[name] = None
        elif path[:2] != _OF_PYTHON:
            broken.append((text, name))
    return Following(values, tuple(names), tuple(broken))


def _requirements(recipe: Recipe) -> Iterator[tuple[DataPath, str]]:
    data: Any = parse_document(recipe.file.read_bytes(), str(recipe.file)).data
    for path in _LISTS:
        section = data.get(path[0], {}).get(path[1], [])
        for number, item in enumerate(section):
            if isinstance(item, dict):
                yield (*path, number, "value"), item["value"]
            else:
                yield (*path, number), item
