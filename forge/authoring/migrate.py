"""Recipes of older versions of the format, rewritten for the present one; comments and order stay.

From 1 to 2: the list ``wheel.extensions`` becomes the table ``extension-modules.txt`` beside the recipe.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from forge.base.atomic import atomic_file
from forge.base.errors import RecipeError
from forge.recipe.diagnostics import InvalidRecipeError, shown_path
from forge.recipe.document import parse_document
from forge.recipe.edit import end_of, value_of
from forge.recipe.extension_table import MULTIARCHES, Row, parse_table, table_text
from forge.recipe.model import TABLE_NAME
from forge.recipe.read import read_beside
from forge.recipe.schema import FORMAT
from forge.recipe.values import When

if TYPE_CHECKING:
    from pathlib import Path

    from forge.recipe.document import Document

_BOM = "\ufeff"


@dataclass(frozen=True)
class Migration:
    """What a recipe becomes.

    Args:
        content: The recipe.
        table: The table's text, or None if the recipe listed no module.
        dropped: Comments that stood at what is gone, each as ``file:line: comment``.
    """

    content: bytes
    table: str | None
    dropped: tuple[str, ...] = ()


def migrated(content: bytes, file: Path) -> Migration | None:
    """A recipe for the present version of the format, or None if it is one.

    Args:
        content: The recipe as it stands in *file*.
        file: The recipe.

    Raises:
        InvalidRecipeError: It is not YAML.
        RecipeError: It is written for a version that forge does not know, or in a way that it cannot rewrite.
    """
    document = parse_document(content, shown_path(file))
    data: Any = document.data
    version = data.get("schema") if isinstance(data, dict) else None
    if version == FORMAT and type(version) is int:
        return None
    if version != 1 or type(version) is not int:
        raise RecipeError(
            f"{shown_path(file)} is not a recipe of version 1 of the format", hint=f"write 'schema: {FORMAT}'"
        )
    text = content.decode("utf-8-sig")
    expected = copy.deepcopy(data)
    expected["schema"] = FORMAT
    number = value_of(yaml.compose(text, yaml.SafeLoader), "schema")
    if number is not None:
        text = f"{text[: number.start_mark.index]}{FORMAT}{text[number.end_mark.index :]}"
    wheel = data.get("wheel")
    listed = wheel.get("extensions") if isinstance(wheel, dict) else None
    table: str | None = None
    dropped: tuple[str, ...] = ()
    if listed is not None:
        table, dropped = _table(document, file, listed)
        del expected["wheel"]["extensions"]
        if not expected["wheel"]:
            del expected["wheel"]
        text = _without_extensions(text, whole="wheel" not in expected)
    made = (_BOM if content.startswith(_BOM.encode()) else "").encode() + text.encode()
    try:
        is_right = parse_document(made, shown_path(file)).data == expected
    except InvalidRecipeError:
        is_right = False
    if not is_right:
        raise _cannot(file)
    return Migration(made, table, dropped)


def migrate_recipe(file: Path) -> Migration | None:
    """Rewrite a recipe's file, and write its table; None if it is of the present version.

    The table is written first: until the recipe is written too, forge goes on refusing the old one.

    Args:
        file: The recipe.

    Raises:
        InvalidRecipeError: It is not YAML.
        RecipeError: It cannot be read or rewritten, or there is a table that says something else.
        StorageError: It cannot be written.
    """
    migration = migrated(read_beside(file, "recipe"), file)
    if migration is None:
        return None
    if migration.table is not None:
        table = file.parent / TABLE_NAME
        if table.exists() and table.read_text(encoding="utf-8") != migration.table:
            raise RecipeError(
                f"there is a table {shown_path(table)} already", hint="remove it, or 'wheel.extensions' of the recipe"
            )
        with atomic_file(table, "w") as written:
            written.write(migration.table)
    with atomic_file(file) as written:
        written.write(migration.content)
    return migration


def _cannot(file: Path) -> RecipeError:
    return RecipeError(
        f"{shown_path(file)} is written in a way that forge cannot rewrite",
        hint=f"list the modules of wheel.extensions in {file.parent.name}/extension-modules.txt, a line 'module all' "
        f"each, remove the key, and write 'schema: {FORMAT}'",
    )


def _table(document: Document, file: Path, listed: Any) -> tuple[str, tuple[str, ...]]:
    """The table's text, and the comments that it has no place for."""
    if not isinstance(listed, list):
        raise _cannot(file)
    rows = []
    for number, item in enumerate(listed):
        module, when = (item, {}) if isinstance(item, str) else (item.get("value"), item.get("when", {}))
        if not isinstance(module, str) or "$" in module or not isinstance(when, dict):
            raise _cannot(file)
        conditions = {key: tuple(said) if isinstance(said, list) else (said,) for key, said in when.items()}
        abis, arches = conditions.pop("abi", ()), conditions.pop("arch", ())
        targets = tuple(
            name
            for name in MULTIARCHES
            if (not arches or name.split("-")[0] in arches) and (not abis or name.split("-")[1] in abis)
        )
        line = document.values[("wheel", "extensions", number)].text
        _, _, comment = line.partition(" #")
        rows.append(Row(module, targets, When(**conditions), comment.strip()))
    name = file.parent.name
    text = table_text(rows, name)
    data: Any = document.data
    parse_table(text.encode(), shown_path(file.parent / "extension-modules.txt"), list(data.get("variants") or {}))
    first = document.keys[("wheel", "extensions")].line
    last = max(where.line for path, where in document.values.items() if path[:2] == ("wheel", "extensions"))
    kept = {row.comment for row in rows}
    dropped = []
    for number in range(first - 1, last + 1):
        line = document.lines[number - 1] if number else ""
        found = re.search(r"(?:^|\s)#\s*(.*)", line)
        if found and found[1].strip() not in kept and (number >= first or _is_above(document, number)):
            dropped.append(f"{document.file}:{number}: {found[0].strip()}")
    return text, tuple(dropped)


def _is_above(document: Document, number: int) -> bool:
    """Whether the line before the key has nothing but a comment."""
    return document.lines[number - 1].lstrip().startswith("#")


def _without_extensions(text: str, *, whole: bool) -> str:
    """A recipe's text without ``wheel.extensions``, or without ``wheel`` if nothing else is in it.

    Args:
        text: The recipe.
        whole: Whether ``wheel`` has no other key.
    """
    root = yaml.compose(text, yaml.SafeLoader)
    holder, key = (root, "wheel") if whole else (value_of(root, "wheel"), "extensions")
    if not isinstance(holder, yaml.MappingNode):
        return text  # which is found wanting when it is read again
    pairs = [(name, value) for name, value in holder.value]
    at = next(number for number, (name, _) in enumerate(pairs) if name.value == key)
    name, value = pairs[at]
    if holder.flow_style:
        if at + 1 < len(pairs):
            return text[: name.start_mark.index] + text[pairs[at + 1][0].start_mark.index :]
        return text[: end_of(text, pairs[at - 1][1])] + text[end_of(text, value) :]
    start = text.rfind("\n", 0, name.start_mark.index) + 1
    while (above := text.rfind("\n", 0, start - 1) + 1) < start and text[above:start].lstrip().startswith("#"):
        start = above
    end = text.find("\n", end_of(text, value)) + 1 or len(text)
    before = text[:start].removesuffix("\n").rpartition("\n")[2]
    if whole and not before.strip():  # one of the two empty lines that set it off
        if end == len(text):
            start -= len(before) + 1
        elif (after := text.find("\n", end) + 1) and not text[end:after].strip():
            end = after
    return text[:start] + text[end:]
