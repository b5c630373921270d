"""Recipes that no command can use: what the recipe's reader says, under lint's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from forge.base.severity import Severity
from forge.lint.model import Finding
from forge.lint.rules import finding, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.lint.subject import Neighbours, Subject
    from forge.recipe.diagnostics import Diagnostic
    from forge.recipe.document import Path as DataPath


def reading(subject: Subject, _neighbours: Neighbours) -> Iterator[Finding]:
    """REC001 to REC005, as far as the reader finds them."""
    for problem in subject.problems:
        yield Finding(rule(_rule_of(subject, problem)), Severity.ERROR, problem, is_fatal=True)


def directory_name(subject: Subject, _neighbours: Neighbours) -> Iterator[Finding]:
    """REC004: a directory that is found, but is spelt otherwise."""
    recipe = subject.recipe
    if recipe is None or recipe.directory.name == recipe.normalized_name:
        return
    if canonicalize_name(recipe.directory.name) == recipe.normalized_name:
        yield finding(
            "wrong-directory",
            recipe.place("package", "name"),
            f"the directory {recipe.directory.name!r} does not have the normalised name of the package",
            f"rename the directory to {recipe.normalized_name}",
        )


def _rule_of(subject: Subject, problem: Diagnostic) -> str:
    """The rule that a problem of the reader's falls under: by where it is, since the reader knows no rules."""
    path = _path_of(subject, problem)
    if path == ("about", "license"):
        return "invalid-license"
    if path == ("package", "name") and "its directory is" in problem.message:
        return "wrong-directory"
    if path[:1] == ("source",) and ("sha256" in path or "'sha256'" in problem.message or "a sha256" in problem.message):
        return "invalid-hash"
    if "never holds" in problem.message:
        return "dead-condition"
    return "invalid-recipe"


def _path_of(subject: Subject, problem: Diagnostic) -> DataPath:
    """The longest path of what stands at a problem's place."""
    if subject.document is None:
        return ()
    places = (subject.document.values, subject.document.keys)
    paths = [path for where in places for path, place in where.items() if place == problem.where]
    return max(paths, key=len, default=())
