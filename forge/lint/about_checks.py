"""Rules on what a recipe says to people: summary, homepage, licences, maintainers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from forge.lint.model import Edit, Fix
from forge.lint.rules import finding
from forge.recipe.diagnostics import Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.lint.model import Finding
    from forge.lint.subject import Neighbours, Subject
    from forge.recipe.document import Path as DataPath

_LONGEST_SUMMARY = 100


def about(subject: Subject, neighbours: Neighbours) -> Iterator[Finding]:
    """REC201, REC202, REC204 and REC208: what is missing."""
    recipe = subject.recipe
    if recipe is None:
        return
    where = subject.key("about") if "about" in _data(subject) else subject.key("package", "name")
    demanded = recipe.backend.is_for_libraries  # a Python package's own metadata says it
    for name, value, example in (
        ("homepage", recipe.about.homepage, "homepage: https://…"),
        ("summary", recipe.about.summary, "summary: …"),
        ("license", recipe.about.license, "license: MIT"),
    ):
        if demanded and not value:
            yield finding(f"no-{name}", where, f"about.{name} is missing", f"add '{example}' under 'about:'")
    if neighbours.has_maintainers and not recipe.maintainers:
        message = "the recipe names no maintainer, but others of its directory do"
        yield finding("no-maintainer", subject.key("package", "name"), message, "add 'maintainers: [\"@account\"]'")


def state(subject: Subject, _neighbours: Neighbours) -> Iterator[Finding]:
    """REC209: a reason that no longer holds."""
    recipe = subject.recipe
    if recipe is None or recipe.state is None or recipe.disabled is not None:
        return
    message = f"{recipe.name} {recipe.version} has reached {recipe.state.until}: it is no longer disabled"
    yield finding("state-over", recipe.state.where, message, "remove 'state'")


def summary_style(subject: Subject, _neighbours: Neighbours) -> Iterator[Finding]:
    """REC203: the recipe's summary and those of its variants."""
    recipe = subject.recipe
    if recipe is None:
        return
    summaries: list[tuple[DataPath, str]] = [(("about", "summary"), recipe.about.summary)]
    summaries += [(("variants", variant.name, "summary"), variant.summary) for variant in recipe.variants]
    for path, text in summaries:
        if len(text) > _LONGEST_SUMMARY:
            message = f"the summary has {len(text)} characters"
            yield finding("summary-style", recipe.place(*path), message, f"use {_LONGEST_SUMMARY} at most")
        if text.endswith(".") and not text.endswith(("..", " etc.")):
            fix = value_fix(subject, path, text[:-1])
            yield finding("summary-style", recipe.place(*path), "the summary ends in a full stop", "remove it", fix=fix)


def license_spelling(subject: Subject, _neighbours: Neighbours) -> Iterator[Finding]:
    """REC205: the reader takes any spelling, and keeps the canonical one."""
    recipe = subject.recipe
    written = _data(subject).get("about", {})
    written = written.get("license", "") if isinstance(written, dict) else ""
    if recipe is not None and written and written != recipe.about.license:
        path = ("about", "license")
        yield finding(
            "license-spelling",
            recipe.place(*path),
            f"{written[:80]!r} is not the canonical spelling",
            f"write '{recipe.about.license}'",
            fix=value_fix(subject, path, recipe.about.license),
        )


def license_files(subject: Subject, neighbours: Neighbours) -> Iterator[Finding]:
    """REC206 and REC207: the licences of what ends in wheels."""
    recipe = subject.recipe
    if recipe is None:
        return
    if recipe.backend.is_for_libraries and not recipe.license_files:
        where = subject.key("wheel") if "wheel" in _data(subject) else subject.key("build", "backend")
        hint = "add 'license_files: [LICENSE]' under 'wheel:'"
        yield finding("no-license-file", where, "the native library names no licence file", hint)
    for value in recipe.host:
        try:
            library = neighbours.find(Requirement(value.text).name)
        except InvalidRequirement:  # its variables make it one
            continue
        if library is None or not library.backend.is_for_libraries or library.license_files or not library.native:
            continue
        notes = (Note(library.place("package", "name"), "its recipe"),)
        message = f"{library.name} is linked in, but its recipe names no licence file"
        hint = "add 'wheel.license_files' to that recipe"
        yield finding("linked-without-license", value.where, message, hint, notes=notes)


def value_fix(subject: Subject, path: DataPath, new: str) -> Fix | None:
    """What changes one string, in the quotes that it has; None where its text is not that string."""
    if subject.document is None:
        return None
    where = subject.document.value_at(path)
    raw = where.text[where.column - 1 : where.column - 1 + where.width]
    old = subject.document.raw.get(path, "")
    if raw.count(old) != 1 or not old:
        return None
    text = raw.replace(old, new)
    if raw == old and re.search(r"[\[{]", where.text[: where.column - 1]) and re.search(r"[\[\]{},]", new):
        text = f'"{new}"'  # brackets and commas have a meaning inside '{…}'
    start = subject.index(where)
    return Fix((Edit(start, start + len(raw), text),), path, new)


def _data(subject: Subject) -> dict[str, object]:
    data = subject.document.data if subject.document else None
    return data if isinstance(data, dict) else {}
