"""Which projects publish iOS wheels of their own by now, so that their recipes can go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.authoring.published import PublishedWheels, published_wheels
from forge.authoring.release import Asked, find_release
from forge.base.errors import SourceError
from forge.pipeline.comment import escaped
from forge.recipe.model import SdistPin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from forge.lint.upstream import Upstream
    from forge.recipe.model import Recipe


@dataclass(frozen=True)
class OwnWheels:
    """A project with iOS wheels of its own.

    Args:
        name: The recipe.
        version: The version that the recipe builds.
        published: The wheels of the project's newest release.
    """

    name: str
    version: str
    published: PublishedWheels


def own_wheels(recipes: Iterable[Recipe], upstream: Upstream, minor: str) -> Iterator[OwnWheels]:
    """Look at the newest release of each project that a recipe takes an sdist of.

    Args:
        recipes: The recipes.
        upstream: Asks the indexes.
        minor: The Python whose wheels are checked, where there are some for it.

    Raises:
        NetworkError: An index did not answer.
    """
    for recipe in recipes:
        if not isinstance(recipe.source, SdistPin):
            continue
        try:
            release = find_release(upstream, Asked(recipe.name, None))
            found = published_wheels(upstream, release, minor)
        except SourceError:  # no index has it: a project of one's own
            continue
        if found.complete or found.partial:
            yield OwnWheels(recipe.name, recipe.version, found)


def render(found: Iterable[OwnWheels]) -> str:
    """A list in Markdown.

    Args:
        found: The projects.
    """
    rows = list(found)
    lines = ["### Projects with iOS wheels of their own", ""]
    if not rows:
        return "\n".join([*lines, "None of these recipes' projects publishes any.", ""])
    lines.append("| recipe | published | complete for Python | incomplete | errors of forge check |")
    lines.append("| --- | --- | --- | --- | --- |")
    for row in rows:
        there = row.published
        errors = len({problem.finding.id for problem in there.problems})
        cells = [
            escaped(f"{row.name} {row.version}"), escaped(there.version), ", ".join(there.complete),
            ", ".join(there.partial), str(errors or ""),
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "A recipe is not needed any more for the Pythons that the project's wheels are complete for.", ""]
    return "\n".join(lines)
