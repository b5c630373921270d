"""The recipe's schema for people: each key with what it means, what it may be, its default and examples."""

from __future__ import annotations

import functools
import json
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forge.recipe.data import data_directory

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDTH = 100


@dataclass(frozen=True)
class Key:
    """A key of the format.

    Args:
        name: Its path, dotted; ``NAME`` stands for any name.
        kind: What it may be, in words.
        is_required: Whether the section that it is in needs it.
        description: What it means.
        default: What counts if it is left out, as YAML, or None.
        examples: Values, as YAML in one line.
    """

    name: str
    kind: str
    is_required: bool
    description: str
    default: str | None
    examples: tuple[str, ...]


def schema_source() -> str:
    """The text of the schema, JSON Schema 2020-12."""
    return (data_directory("schemas") / "recipe.schema.json").read_text(encoding="utf-8")


@functools.cache
def all_keys() -> tuple[Key, ...]:
    """Every key, in the order of the schema."""
    schema = json.loads(schema_source())
    return tuple(_keys(schema, "", schema["$defs"]))


def render_keys(prefix: str = "") -> str:
    """Keys as plain text.

    Args:
        prefix: A key; it and all below it are shown. Empty for all.

    Returns:
        Text that ends in a line break; empty if there is no such key.
    """
    lines: list[str] = []
    for key in all_keys():
        if prefix and key.name != prefix and not key.name.startswith(f"{prefix}."):
            continue
        lines.append(f"{key.name}  ({key.kind}{', required' if key.is_required else ''})")
        lines += textwrap.wrap(key.description, _WIDTH, initial_indent="    ", subsequent_indent="    ")
        lines += [f"    default: {key.default}"] if key.default is not None else []
        lines += [f"    example: {example}" for example in key.examples]
    return "\n".join(lines) + "\n" if lines else ""


def _keys(schema: Any, name: str, definitions: Any) -> Iterator[Key]:
    required = schema.get("required", ())
    parts = dict(schema.get("properties", {}))
    if schema.get("propertyNames") and isinstance(schema.get("additionalProperties"), dict):
        parts = {"NAME": schema["additionalProperties"]}
    for key, inner in parts.items():
        whole = _resolved(inner, definitions)
        path = f"{name}.{key}" if name else key
        if key != "NAME":
            default = json.dumps(whole["default"]) if "default" in whole else None
            examples = tuple(json.dumps(example, ensure_ascii=False) for example in whole.get("examples", ()))
            description = inner.get("description") or whole.get("description", "")
            yield Key(path, _kind(whole, definitions), key in required, description, default, examples)
        yield from _keys(whole, path, definitions)


def _resolved(schema: Any, definitions: Any) -> Any:
    """A schema with what it refers to in it; its own words count more."""
    if "$ref" not in schema:
        return schema
    return {**definitions[schema["$ref"].rpartition("/")[2]], **schema}


def _kind(schema: Any, definitions: Any) -> str:
    if "const" in schema:
        return f"always {json.dumps(schema['const'])}"
    if "enum" in schema:
        return " | ".join(schema["enum"])
    match schema.get("type"):
        case "array":
            items = _resolved(schema.get("items", {}), definitions)
            return f"list of {'conditional strings' if 'if' in items else _kind(items, definitions)}"
        case "object":
            return "mapping"
        case str(kind):
            return str(kind)
    return "conditional string" if "conditional" in json.dumps(schema) else "string or list of strings"
