"""Lint: every rule on every recipe that is asked for, less what their comments ignore."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from forge.base.errors import RecipeError
from forge.base.severity import Severity
from forge.lint import about_checks, build_checks, layout_checks, source_checks, unusable, wheel_checks
from forge.lint.comments import ignores_of
from forge.lint.model import Edit, Fix
from forge.lint.rules import all_rules, finding
from forge.lint.subject import Neighbours, read_subject
from forge.recipe.diagnostics import Location, shown_path
from forge.recipe.model import RECIPE_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from forge.lint.comments import Ignore
    from forge.lint.model import Finding
    from forge.lint.subject import Subject
    from forge.recipe.store import RecipeStore

    Check = Callable[[Subject, Neighbours], Iterator[Finding]]
    """What looks at one recipe."""

CHECKS: tuple[Check, ...] = (
    unusable.reading,
    unusable.directory_name,
    layout_checks.schema_line,
    layout_checks.key_order,
    layout_checks.listed_twice,
    about_checks.about,
    about_checks.state,
    about_checks.summary_style,
    about_checks.license_spelling,
    about_checks.license_files,
    source_checks.placeholder_hash,
    source_checks.addresses,
    source_checks.patches,
    build_checks.conditions,
    build_checks.build_requirements,
    build_checks.host_requirements,
    wheel_checks.promises,
    wheel_checks.tests,
)
"""Everything that needs no network."""

_MORE_WITH_NETWORK = ("unused-host-requirement",)
"""Rules that find more with the network: without it nobody knows whether a comment that ignores them is needed."""


@dataclass(frozen=True)
class Report:
    """What lint found.

    Args:
        findings: By file, line and column.
        files: How many recipes were looked at.
    """

    findings: tuple[Finding, ...]
    files: int

    def fails(self, worst: Severity) -> bool:
        """Whether anything is as bad as that."""
        return any(found.severity.rank <= worst.rank for found in self.findings)


def lint_recipes(
    store: RecipeStore,
    names: Sequence[str],
    rules: frozenset[str] | None = None,
    further: Sequence[Check] = (),
) -> Report:
    """Look at recipes.

    Args:
        store: The recipes; rules about several of them look at all.
        names: Which ones; all if there is none.
        rules: The ids of the rules that count; None for all.
        further: Checks besides, e.g. those that need the network.

    Raises:
        RecipeError: There is no recipe of a name.
    """
    subjects, unreadable = read_subjects(store)
    asked = {store.path(name) for name in names} if names else {*subjects, *unreadable}
    found = [_unreadable(file, error) for file, error in unreadable.items() if file in asked]
    neighbours = Neighbours.of(subjects)
    for file in sorted(asked & set(subjects)):
        found += lint_subject(subjects[file], neighbours, rules, further)
    if rules is not None:
        found = [each for each in found if each.rule.id in rules]
    return Report(tuple(sorted(found, key=_place)), len(asked))


def read_subjects(store: RecipeStore) -> tuple[dict[Path, Subject], dict[Path, RecipeError]]:
    """All recipes of a directory, and why some of them cannot be read."""
    subjects: dict[Path, Subject] = {}
    unreadable: dict[Path, RecipeError] = {}
    for file in sorted(store.directory.glob(f"*/{RECIPE_NAME}")):
        try:
            subjects[file] = read_subject(file)
        except RecipeError as error:
            unreadable[file] = error
    return subjects, unreadable


def lint_subject(
    subject: Subject, neighbours: Neighbours, rules: frozenset[str] | None = None, further: Sequence[Check] = ()
) -> list[Finding]:
    """What is wrong with one recipe, and not ignored.

    Args:
        subject: The recipe.
        neighbours: Those of its directory.
        rules: The ids of the rules that count; None for all.
        further: Checks besides.
    """
    lines = subject.document.lines if subject.document else ()
    ignores, problems = ignores_of(subject.comments, lines)
    found = [each for check in (*CHECKS, *further) for each in check(subject, neighbours)]
    kept = [each for each in found if not any(ignore.covers(each) for ignore in ignores)]
    if subject.recipe is not None:  # of a recipe that is wrong most rules say nothing
        kept += _unused(subject, ignores, found, network=bool(further))
    kept += problems
    return sorted((each for each in kept if rules is None or each.rule.id in rules), key=_place)


def _unused(
    subject: Subject, ignores: Iterable[Ignore], found: Sequence[Finding], *, network: bool
) -> Iterator[Finding]:
    """REC104: ignore comments without anything to ignore, each with what removes it."""
    asked = {rule.id for rule in all_rules() if network or not (rule.network or rule.name in _MORE_WITH_NETWORK)}
    for ignore in ignores:
        used = {each.rule.id for each in found if ignore.covers(each)}
        idle = sorted(ignore.ids - used)
        if not idle or not asked.issuperset(idle):
            continue
        where = ignore.comment.where
        message = f"there is nothing to ignore of {', '.join(idle)}"
        fix = _removal(subject, where, whole_line=ignore.comment.is_alone) if not used else None
        yield finding("unused-ignore", where, message, "remove it", fix=fix)


def _removal(subject: Subject, where: Location, *, whole_line: bool) -> Fix:
    start = subject.index(where)
    line_start = subject.starts[where.line - 1]
    if whole_line:
        following = subject.starts[where.line] if where.line < len(subject.starts) else len(subject.text)
        return Fix((Edit(line_start, following, ""),))
    before = subject.text[line_start:start]
    return Fix((Edit(line_start + len(before.rstrip()), start + where.width, ""),))


def _unreadable(file: Path, error: RecipeError) -> Finding:
    made = finding("invalid-recipe", Location(shown_path(file), 1), error.message, error.hint)
    return replace(made, severity=Severity.ERROR, is_fatal=True)


def _place(found: Finding) -> tuple[str, int, int, str]:
    where = found.where
    return where.file, where.line, where.column, found.rule.id
