"""Adding a patch to a recipe's text; comments, order and style of everything else stay as they are.

The text is not written anew from its data: one line, or a few characters, are put in at a place that YAML's node graph
gives. What comes of it is read again, and must be the old data and the patch.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from forge.base.errors import RecipeError
from forge.recipe.diagnostics import InvalidRecipeError, shown_path
from forge.recipe.document import parse_document
from forge.recipe.read import parse_recipe

if TYPE_CHECKING:
    from pathlib import Path

_BOM = "\ufeff"


def with_patch(content: bytes, file: Path, patch: str) -> bytes:
    """A recipe's content with a patch at the end of ``source.patches``.

    Args:
        content: The recipe as it stands in *file*.
        file: The recipe; the patch is beside it already.
        patch: The patch's path, relative to the recipe, of characters that YAML needs no quotes for.

    Raises:
        InvalidRecipeError: The recipe is wrong as it stands.
        RecipeError: It is written in a way that leaves no obvious place for the patch.
    """
    parse_recipe(content, file)
    before: Any = parse_document(content, shown_path(file)).data
    text = content.decode("utf-8-sig")
    expected = copy.deepcopy(before)
    expected["source"].setdefault("patches", []).append(patch)
    changed = _put_in(text, _place(text, patch))
    made = (_BOM if content.startswith(_BOM.encode()) else "").encode() + changed.encode()
    try:
        if parse_document(made, shown_path(file)).data == expected:
            parse_recipe(made, file)
            return made
    except InvalidRecipeError:  # the last resort is to tell the user
        pass
    raise RecipeError(
        f"{shown_path(file)} is written in a way that forge cannot add a patch to",
        hint=f"add '{patch}' to the list 'patches' under 'source' yourself, after the others",
    )


@dataclass(frozen=True)
class _Insertion:
    """What is put in.

    Args:
        at: Before which character.
        text: The text; lines of their own have no line break here.
        is_line: Whether it takes lines of its own, after the one that *at* is in.
    """

    at: int
    text: str
    is_line: bool


def _place(text: str, patch: str) -> _Insertion:
    root = yaml.compose(text, yaml.SafeLoader)
    source = value_of(root, "source")
    patches = value_of(source, "patches") if source is not None else None
    if isinstance(patches, yaml.SequenceNode):
        if not patches.value:  # '[]': YAML has no other way to write an empty list
            return _Insertion(patches.start_mark.index + 1, patch, is_line=False)
        last = end_of(text, patches.value[-1])
        if patches.flow_style:
            return _Insertion(last, f", {patch}", is_line=False)
        return _Insertion(last, f"{' ' * patches.start_mark.column}- {patch}", is_line=True)
    if not isinstance(source, yaml.MappingNode):
        return _Insertion(len(text), "", is_line=False)  # which is found wanting when it is read again
    last = end_of(text, source.value[-1][1])
    if source.flow_style:
        return _Insertion(last, f", patches: [{patch}]", is_line=False)
    indent = " " * source.value[0][0].start_mark.column
    return _Insertion(last, f"{indent}patches:\n{indent}  - {patch}", is_line=True)


def _put_in(text: str, insertion: _Insertion) -> str:
    if not insertion.is_line:
        return text[: insertion.at] + insertion.text + text[insertion.at :]
    line_break = "\r\n" if "\r\n" in text else "\n"
    added = insertion.text.replace("\n", line_break)
    end = text.find("\n", insertion.at)
    if end < 0:
        return f"{text}{line_break}{added}{line_break}"
    return f"{text[: end + 1]}{added}{line_break}{text[end + 1 :]}"


def value_of(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """The value of a mapping's key; None if there is none."""
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def end_of(text: str, node: yaml.Node) -> int:
    """Where a value's text ends; PyYAML has block collections, and block scalars, end where the next token begins."""
    if isinstance(node, yaml.MappingNode | yaml.SequenceNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return end_of(text, last[1] if isinstance(last, tuple) else last)
    end: int = node.end_mark.index
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        return len(text[:end].rstrip())
    return end
