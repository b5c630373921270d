"""The text of a recipe: keys in the schema's order, a comment above what a person has to look at."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import yaml

from forge.recipe.schema import FORMAT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from forge.authoring.draft import Draft, DraftTests, Item

MARK = "Unsure: "
"""How comments begin that ask a person to look."""

_WIDTH = 118
_SCHEMA_LINE = "# yaml-language-server: $schema={}"


def recipe_text(draft: Draft, schema: str = "../../schemas/recipe.schema.json") -> str:
    """Write a recipe.

    Args:
        draft: Its values.
        schema: Where the schema is, relative to the recipe or a URL.
    """
    sections = [
        [_SCHEMA_LINE.format(schema), f"schema: {FORMAT}"],
        _package(draft),
        _about(draft),
        _source(draft),
        _build(draft),
        _requirements(draft),
        _wheel(draft),
        _test(draft.tests),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def scalar(text: str) -> str:
    """A string as YAML, in quotes where it needs some."""
    shown: str = yaml.safe_dump([text], width=10_000, allow_unicode=True, default_style=None)
    plain = shown.strip().removeprefix("- ")
    # PyYAML knows what needs quotes ('on', '1.10'); recipes have double ones.
    if plain.startswith("'") and "\\" not in text and '"' not in text:
        return f'"{text}"'
    return plain


def _package(draft: Draft) -> list[str]:
    lines = ["package:", f"  name: {scalar(draft.name)}", f"  version: {scalar(draft.version)}"]
    return [*lines, *([f"  python: {scalar(draft.python)}"] if draft.python else [])]


def _about(draft: Draft) -> list[str]:
    """The licence alone: the rest is in the project's metadata."""
    if not draft.license.text:
        return []
    return ["about:", *_comment(draft.license.doubt, 2), f"  license: {scalar(draft.license.text)}"]


def _source(draft: Draft) -> list[str]:
    lines = ["source:", "  sdist:", f"    sha256: {draft.sha256}"]
    return [*lines, *([f"    filename: {scalar(draft.filename)}"] if draft.filename else [])]


def _build(draft: Draft) -> list[str]:
    lines = ["build:", *_comment(draft.backend_doubt, 2), f"  backend: {draft.backend}"]
    lines += [f"  languages: [{', '.join(draft.languages)}]"] if draft.languages else []
    lines += _items("requires", draft.requires)
    lines += _mapping("config_settings", draft.config_settings)
    lines += _mapping("env", {name: (item,) for name, item in draft.env.items()})
    return lines


def _requirements(draft: Draft) -> list[str]:
    lines = [*_items("host", draft.host)]
    if draft.run or draft.run_doubt:
        lines += _comment(draft.run_doubt, 2)
        if draft.run:
            note = "What the project itself declares: named here so that it is built along."
            lines += ["  run:", f"    # {note}", *(f"    - {scalar(text)}" for text in draft.run)]
    if not lines:
        return []
    has_keys = bool(draft.host or draft.run)
    return ["requirements:", *lines] if has_keys else [line.removeprefix("  ") for line in lines]


def _wheel(draft: Draft) -> list[str]:
    doubt = f"extension-modules.txt: {draft.extensions_doubt}" if draft.extensions_doubt else ""
    if not draft.libraries:
        return list(_comment(doubt, 0))
    return [*_comment(doubt, 0), "wheel:", "  libraries:", *(f"    - {scalar(name)}" for name in draft.libraries)]


def _test(tests: DraftTests) -> list[str]:
    if not tests.imports:
        return []
    lines = ["test:", *_comment(tests.doubt, 2), "  imports:", *(f"    - {scalar(name)}" for name in tests.imports)]
    if tests.requires:
        lines += ["  requires:", *(f"    - {scalar(text)}" for text in tests.requires)]
    if tests.files:
        lines += ["  files:", *(f"    - {scalar(f'tests/{name}')}" for name in tests.files)]
    if tests.suite_source:
        source = scalar(tests.suite_source)
        lines += [*_comment(tests.suite_doubt, 2), "  suite:", f"    source: [{source}]"]
        if tests.suite_requires:
            lines.append(f"    requires: [{', '.join(map(scalar, tests.suite_requires))}]")
        lines.append(f"    args: [{source}]")
    return lines


def _items(key: str, items: Iterable[Item]) -> list[str]:
    lines = [line for item in items for line in (*_comment(item.doubt, 4), f"    - {scalar(item.text)}")]
    return [f"  {key}:", *lines] if lines else []


def _mapping(key: str, values: Mapping[str, tuple[Item, ...]]) -> list[str]:
    """Each name's value, or a list of them; what is unsure of the first is of all."""
    lines: list[str] = []
    for name, items in values.items():
        lines += _comment(items[0].doubt, 4)
        if len(items) == 1:
            lines.append(f"    {scalar(name)}: {scalar(items[0].text)}")
        else:
            lines += [f"    {scalar(name)}:", *(f"      - {scalar(item.text)}" for item in items)]
    return [f"  {key}:", *lines] if lines else []


def _comment(doubt: str, indent: int) -> Iterator[str]:
    if doubt:
        prefix = " " * indent + "# "
        sentence = f"{MARK}{doubt}." if not doubt.endswith((".", "?")) else f"{MARK}{doubt}"
        yield from textwrap.wrap(
            sentence, _WIDTH, initial_indent=prefix, subsequent_indent=prefix, break_long_words=False,
            break_on_hyphens=False,
        )  # fmt: skip
