"""The recipe schema's verdict, in words: JSON Schema errors turned into diagnostics at their places.

The schema (``schemas/recipe.schema.json``, JSON Schema 2020-12) is what editors use as well, so it says what
it can and the rest is in `forge.recipe.checks`.
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from forge.recipe.data import data_directory
from forge.recipe.diagnostics import Diagnostic, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema import ValidationError

    from forge.recipe.document import Document, Path

_TYPES = {
    "string": "a string",
    "object": "a mapping",
    "array": "a list",
    "boolean": "true or false",
}


@functools.cache
def _validator() -> Draft202012Validator:
    """The schema's validator; made once, as the schema is part of forge and cannot change meanwhile."""
    text = (data_directory("schemas") / "recipe.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text))


def schema_problems(document: Document) -> list[Diagnostic]:
    """Everything that the schema says is wrong with a document."""
    if not isinstance(document.data, dict):
        return [
            Diagnostic(
                document.value_at(()),
                f"a recipe is a mapping, not {_said(document, (), document.data)}",
                "it starts with 'schema: 1'; see docs/recipes.md",
            )
        ]
    found: dict[Diagnostic, None] = {}  # a set in order: 'required' reports each missing key on its own
    for error in _validator().iter_errors(document.data):
        for diagnostic in _diagnose(error, document):
            found.setdefault(diagnostic)
    return list(found)


def dotted(path: Path) -> str:
    """A path for people: ``source.patches[0]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "the recipe"


def _diagnose(error: ValidationError, document: Document) -> Iterator[Diagnostic]:
    path: Path = tuple(error.absolute_path)
    name = dotted(path)
    value: Any = error.instance
    rule: Any = error.validator_value
    schema: Any = error.schema
    if "propertyNames" in error.absolute_schema_path:
        hint = schema.get("patternErrorMessage")
        yield Diagnostic(document.key_at((*path, value)), f"{value!r} cannot be a name in {name}", hint)
        return
    if value == "" and any(problem.where == document.value_at(path) for problem in document.problems):
        return  # the YAML reader has complained about this value
    match error.validator:
        case "additionalProperties":
            known = schema.get("properties", {})
            for key in value:
                if key not in known:
                    message = f"unknown key {key!r} in {name}" if path else f"unknown key {key!r}"
                    yield Diagnostic(document.key_at((*path, key)), message, did_you_mean(key, known))
        case "required":
            missing = [repr(key) for key in rule if key not in value]
            plural = "s" if len(missing) > 1 else ""
            yield Diagnostic(document.key_at(path), f"{name} lacks the key{plural} {' and '.join(missing)}")
        case "type":
            yield _wrong_type(document, path, value, str(rule))
        case "enum" | "const":
            yield _not_one_of(document, path, value, list(rule) if error.validator == "enum" else [rule])
        case "pattern":
            yield Diagnostic(document.value_at(path), f"{name} cannot be {value!r}", schema.get("patternErrorMessage"))
        case "minLength" | "minItems" | "minProperties":
            yield Diagnostic(document.key_at(path), f"{name} is empty", "give it a value or remove it")
        case "oneOf" | "dependentRequired":
            yield from _source_problems(error, document, path)
        case _:  # a keyword added to the schema later: say what jsonschema says
            yield Diagnostic(document.value_at(path), f"{name}: {error.message}")


def _source_problems(error: ValidationError, document: Document, path: Path) -> Iterator[Diagnostic]:
    """The rules on which keys of ``source`` go together; no other part of the schema has such."""
    value: Any = error.instance
    if not isinstance(value, dict):
        return  # every branch of 'oneOf' holds for what is no mapping; that it is none is said by 'type'
    if error.validator == "oneOf":
        given = [key for key in ("sdist", "url", "git", "path") if key in value]
        what = f"has {' and '.join(given)}" if given else "has none of them"
        message = f"source needs exactly one of sdist, url, git and path; it {what}"
        yield Diagnostic(document.key_at(path), message)
    elif "url" in value:
        hint = "add 'sha256:' under 'source:'"
        yield Diagnostic(document.key_at((*path, "url")), "source.url needs a sha256 beside it", hint)
    else:
        hint = "an sdist's sha256 stands under 'sdist:'"
        yield Diagnostic(document.key_at((*path, "sha256")), "source.sha256 belongs to source.url", hint)


def _wrong_type(document: Document, path: Path, value: object, expected: str) -> Diagnostic:
    raw = document.raw.get(path, "")
    said = _said(document, path, value)
    message = f"{dotted(path)} must be {_TYPES.get(expected, expected)}, not {said}"
    if value is None:
        message = f"{dotted(path)} is empty; it must be {_TYPES.get(expected, expected)}"
    hint = None
    if expected == "string" and isinstance(value, bool | int | float) and raw:
        hint = f'quote it: "{raw}"'
    elif expected == "array":
        hint = "write a list: [a, b], or one '- ' a line"
    return Diagnostic(document.value_at(path), message, hint)


def _not_one_of(document: Document, path: Path, value: object, allowed: list[object]) -> Diagnostic:
    where, name = document.value_at(path), dotted(path)
    if path == ("schema",):
        said = document.raw.get(path) or _said(document, path, value)
        return Diagnostic(where, f"schema is {said}, but this forge reads version {allowed[0]}", "write 'schema: 1'")
    words = [str(word) for word in allowed]
    if isinstance(value, str):
        return Diagnostic(where, f"{name} cannot be {value!r}", did_you_mean(value, words, "valid values"))
    message = f"{name} must be one of {', '.join(words)}, not {_said(document, path, value)}"
    return Diagnostic(where, message)


def _said(document: Document, path: Path, value: object) -> str:
    """A value as the user wrote it and what YAML made of it, e.g. ``the number 3.1 (written 3.10)``."""
    raw = document.raw.get(path, "")
    raw = raw if len(raw) <= 60 else f"{raw[:60]}…"
    match value:
        case None:
            return "empty"
        case bool():
            return f"{str(value).lower()}, which is what YAML reads {raw!r} as"
        case int() | float():
            return f"a number, which is what YAML reads {raw!r} as"
        case str():
            return f"the string {raw!r}"
        case list():
            return "a list"
        case _:
            return "a mapping"
