"""Rules on how a recipe is written: its first line, the order of its keys, lists."""

from __future__ import annotations

import functools
import json
import os
import re
from typing import TYPE_CHECKING, Any

from forge.lint.key_order import out_of_order, reordered
from forge.lint.model import Edit, Fix
from forge.lint.rules import finding
from forge.recipe.data import data_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forge.lint.model import Finding
    from forge.lint.subject import Neighbours, Subject
    from forge.recipe.document import Path as DataPath
    from forge.recipe.values import Value

_SCHEMA_LINE = re.compile(r"#\s*yaml-language-server:\s*\$schema=(\S+)\s*")
_SCHEMA = "recipe.schema.json"
_NO_SCHEMA = f"make the file with 'forge schema >schemas/{_SCHEMA}', in a directory beside that of the recipes"


def schema_line(subject: Subject, _neighbours: Neighbours) -> Iterator[Finding]:
    """REC101: the line that editors read."""
    if subject.document is None:
        return
    first = subject.document.lines[0] if subject.document.lines else ""
    schema = _schema_path(subject)
    said = _SCHEMA_LINE.fullmatch(first)
    if said is not None:
        if "://" not in said[1] and not (subject.file.parent / said[1]).is_file():
            hint = f"write '$schema={schema}'" if schema else _NO_SCHEMA
            yield finding("no-schema-line", subject.start, f"there is no schema at {said[1][:80]!r}", hint)
        return
    fix = None
    if schema and not first.startswith("%"):
        line_break = "\r\n" if "\r\n" in subject.text else "\n"
        fix = Fix((Edit(0, 0, f"# yaml-language-server: $schema={schema}{line_break}"),))
    hint = f"add '# yaml-language-server: $schema={schema}'" if schema else _NO_SCHEMA
    yield finding("no-schema-line", subject.start, "the first line does not name the schema", hint, fix=fix)


def _schema_path(subject: Subject) -> str:
    """The schema, relative to the recipe; empty if there is none beside the recipes or above."""
    for above in subject.file.parents[1:4]:
        if (above / "schemas" / _SCHEMA).is_file():
            return os.path.relpath(above / "schemas" / _SCHEMA, subject.file.parent)
    return ""


def key_order(subject: Subject, _neighbours: Neighbours) -> Iterator[Finding]:
    """REC102: the order of the keys of each section."""
    if subject.document is None or subject.recipe is None:
        return
    for path, keys in _sections(subject.document.data, ()):
        order = _order(path)
        misplaced = out_of_order(keys, order)
        if misplaced is None:
            continue
        key, before = misplaced
        where = subject.document.key_at((*path, key))
        fix = reordered(subject, path, keys, order)
        section = f" in {'.'.join(map(str, path))}" if path else ""
        yield finding(
            "key-order", where, f"{key!r} stands after {before!r}{section}", f"put it before {before!r}", fix=fix
        )


def _sections(data: object, path: DataPath) -> Iterator[tuple[DataPath, list[str]]]:
    """Every mapping whose keys the schema names."""
    if isinstance(data, dict):
        if _order(path):
            yield path, list(data)
        for key, value in data.items():
            yield from _sections(value, (*path, key))


@functools.cache
def _order(path: DataPath) -> tuple[str, ...]:
    """The keys that the schema has for the mapping at a path, in its order."""
    schema: Any = _schema()
    for part in path:
        named: Mapping[str, Any] = schema.get("properties", {})
        schema = named.get(str(part)) or schema.get("additionalProperties") or {}
        if not isinstance(schema, dict):
            return ()
    return tuple(schema.get("properties", {}))


@functools.cache
def _schema() -> Any:
    return json.loads((data_directory("schemas") / _SCHEMA).read_text(encoding="utf-8"))


def listed_twice(subject: Subject, _neighbours: Neighbours) -> Iterator[Finding]:
    """REC105: items of lists."""
    recipe = subject.recipe
    if recipe is None:
        return
    lists: list[tuple[str, tuple[Value, ...]]] = [
        ("source.patches", recipe.patches),
        ("build.requires", recipe.requires),
        ("requirements.host", recipe.host),
        ("requirements.run", recipe.run),
        ("wheel.libraries", recipe.libraries),
        ("wheel.license_files", recipe.license_files),
        ("test.imports", recipe.trial.imports),
        ("test.requires", recipe.trial.requires),
        ("test.files", recipe.trial.files),
        ("test.suite.requires", recipe.trial.suite_requires),
    ]
    for name, values in lists:
        seen: set[Value] = set()
        for value in values:
            if value in seen:
                message = f"{name} has {value.text[:80]!r} twice"
                yield finding("listed-twice", value.where, message, "remove one of the two")
            seen.add(value)
