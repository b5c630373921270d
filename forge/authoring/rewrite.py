"""Replacing values in a recipe's text; comments, order, quotes and style of everything else stay as they are.

The text is not written anew from its data: the characters of a value are replaced at the place that YAML's node graph
gives. What comes of it is read again, and must be the old data with the new values.
"""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import yaml

from forge.base.errors import RecipeError
from forge.recipe.diagnostics import InvalidRecipeError, shown_path
from forge.recipe.document import parse_document
from forge.recipe.read import parse_recipe

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from forge.recipe.document import Path as DataPath

_BOM = "\ufeff"


def with_values(content: bytes, file: Path, values: Mapping[DataPath, str]) -> bytes:
    """A recipe's content with other strings at some paths.

    Args:
        content: The recipe as it stands in *file*.
        file: The recipe; what it names is beside it.
        values: The new strings by their paths, which exist.

    Raises:
        InvalidRecipeError: The recipe is wrong, as it stands or with these values.
        RecipeError: It is written in a way that leaves no obvious place for one of them.
    """
    parse_recipe(content, file)
    before: Any = parse_document(content, shown_path(file)).data
    text = content.decode("utf-8-sig")
    root = yaml.compose(text, yaml.SafeLoader)
    edits = []
    for path, value in values.items():
        node = _node(root, path)
        if not isinstance(node, yaml.ScalarNode):
            raise _refused(file, path, value)
        if node.value != value:
            edits.append((node.start_mark.index, node.end_mark.index, _written(value, node.style)))
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    made = (_BOM if content.startswith(_BOM.encode()) else "").encode() + text.encode()
    expected = copy.deepcopy(before)
    for path, value in values.items():
        _put(expected, path, value)
    try:
        is_as_meant = parse_document(made, shown_path(file)).data == expected
    except InvalidRecipeError:
        is_as_meant = False
    if not is_as_meant:
        raise _refused(file, *next(iter(values.items())))
    parse_recipe(made, file)
    return made


def _node(root: yaml.Node | None, path: DataPath) -> yaml.Node | None:
    node = root
    for part in path:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == part), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
        else:
            return None
    return node


def _put(data: Any, path: DataPath, value: str) -> None:
    for part in path[:-1]:
        data = data[part]
    data[path[-1]] = value


def _written(value: str, style: str | None) -> str:
    """A string in the style of the one that it replaces, if that can hold it."""
    if style == "'":
        return "'" + value.replace("'", "''") + "'"
    if style is None and _is_plain(value):
        return value
    return json.dumps(value, ensure_ascii=False)  # a string of JSON is one of YAML


def _is_plain(value: str) -> bool:
    """Whether YAML reads a value without quotes as that string, in a list in brackets as well."""
    try:
        loaded = yaml.safe_load(f"[{value}]")
    except yaml.YAMLError:
        return False
    return bool(loaded == [value])


def _refused(file: Path, path: DataPath, value: str) -> RecipeError:
    where = ".".join(map(str, path))
    return RecipeError(
        f"{shown_path(file)} is written in a way in which forge cannot change {where}",
        hint=f"write {value!r} there yourself",
    )
