"""Mending findings in a recipe's text; what comes of each fix is read again before it counts."""

from __future__ import annotations

import copy
import stat
from typing import TYPE_CHECKING, Any

from forge.base.atomic import atomic_file
from forge.lint.run import lint_subject, read_subjects
from forge.lint.subject import Neighbours, subject_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from forge.lint.model import Finding, Fix
    from forge.lint.subject import Subject
    from forge.recipe.store import RecipeStore

_BOM = "\ufeff".encode()
_MOST_ROUNDS = 200


def fix_recipes(store: RecipeStore, names: Sequence[str], rules: frozenset[str] | None = None) -> tuple[Finding, ...]:
    """Mend what can be mended without a person, and write the recipes that changed.

    Args:
        store: The recipes.
        names: Which ones; all if there is none.
        rules: The ids of the rules that count; None for all.

    Returns:
        What was mended.

    Raises:
        RecipeError: There is no recipe of a name.
    """
    subjects, _ = read_subjects(store)  # lint tells of those that cannot be read
    neighbours = Neighbours.of(subjects)
    files = {store.path(name) for name in names} if names else set(subjects)
    mended: list[Finding] = []
    for file in sorted(files & set(subjects)):
        subject = subjects[file]
        content, done = fixed(subject, neighbours, rules)
        if content != subject.content:
            _write(subject.file, content)
            mended += done
    return tuple(mended)


def fixed(
    subject: Subject, neighbours: Neighbours, rules: frozenset[str] | None = None
) -> tuple[bytes, tuple[Finding, ...]]:
    """A recipe's content with everything mended that can be, and what that was.

    A recipe that is wrong is left as it is. A fix is taken only if the result is a recipe that says the same but for
    what the fix is to change, and has one finding fewer.

    Args:
        subject: The recipe.
        neighbours: Those of its directory, on which it depends whether an ignore comment is needed.
        rules: The ids of the rules that count; None for all.
    """
    done: list[Finding] = []
    refused: set[tuple[str, str]] = set()
    for _ in range(_MOST_ROUNDS):
        found = lint_subject(subject, neighbours, rules)
        todo = [each for each in found if each.fix and (each.rule.id, each.message) not in refused]
        if not todo or todo[0].fix is None:
            break
        changed = _applied(subject, todo[0].fix)
        if changed is not None and len(lint_subject(changed, neighbours, rules)) < len(found):
            subject = changed
            done.append(todo[0])
        else:
            refused.add((todo[0].rule.id, todo[0].message))
    return subject.content, tuple(done)


def _applied(subject: Subject, fix: Fix) -> Subject | None:
    """The recipe after a fix; None if it is not what the fix is meant to make of it."""
    text = subject.text
    for edit in sorted(fix.edits, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    content = (_BOM if subject.content.startswith(_BOM) else b"") + text.encode()
    changed = subject_of(content, subject.file)
    if changed.recipe is None or changed.document is None or subject.document is None:
        return None
    expected: Any = copy.deepcopy(subject.document.data)
    if fix.path is not None:
        inner = expected
        for part in fix.path[:-1]:
            inner = inner[part]
        inner[fix.path[-1]] = fix.value
    return changed if changed.document.data == expected else None


def _write(file: Path, content: bytes) -> None:
    mode = stat.S_IMODE(file.stat().st_mode)
    with atomic_file(file.resolve()) as written:
        written.write(content)
    file.chmod(mode)
