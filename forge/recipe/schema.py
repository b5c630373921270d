"""The recipe schema's verdict, in words: JSON Schema errors turned into diagnostics at their places.

The schema (``schemas/recipe.schema.json``, JSON Schema 2020-12) is what editors use as well, so it says what
it can and the rest is in `forge.recipe.checks`.
"""

from __future__ import annotations

import difflib
import functools
import json
import re
from typing import TYPE_CHECKING, Any

from forge.recipe.data import data_directory
from forge.recipe.diagnostics import Diagnostic, did_you_mean
from forge.recipe.model import TABLE_NAME
from forge.recipe.rules import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema import Draft202012Validator, ValidationError

    from forge.recipe.document import Document, Path

FORMAT = 2
"""The version of the format that this forge reads; `forge.authoring.migrate` rewrites older ones."""

_MOVED = {
    ("wheel", "extensions"): f"extension modules are listed in {TABLE_NAME} beside the recipe, which 'forge lock NAME "
    "--wheel FILE...' makes",
}
"""Keys of older versions of the format, and where what they said is now."""

_TYPES = {
    "string": "a string",
    "object": "a mapping",
    "array": "a list",
    "boolean": "true or false",
}


@functools.cache
def _validator() -> Draft202012Validator:
    """The schema's validator; made once, as the schema is part of forge and cannot change meanwhile."""
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415 - slow to import

    text = (data_directory("schemas") / "recipe.schema.json").read_text(encoding="utf-8")
    extend: Any = validators.extend  # jsonschema leaves it without types
    validator: Draft202012Validator = extend(Draft202012Validator, {"pattern": _pattern})(json.loads(text))
    return validator


def _pattern(_validator: Any, pattern: str, instance: object, _schema: Any) -> Iterator[ValidationError]:
    """JSON Schema's ``pattern`` as ECMA 262 means it: ``$`` is the very end, not the place before a last line break."""
    strict = re.sub(r"\$$", r"\\Z", pattern)
    if isinstance(instance, str) and not re.search(strict, instance):
        from jsonschema import ValidationError  # noqa: PLC0415 - as above

        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def version_problem(document: Document) -> Diagnostic | None:
    """What is wrong with ``schema``, the version of the format, or None; a missing one is the schema's to report."""
    data = document.data
    if not isinstance(data, dict) or "schema" not in data:
        return None
    path, value = ("schema",), data["schema"]
    where = document.value_at(path)
    if type(value) is int:
        if value == FORMAT:
            return None
        hint = f"write 'schema: {FORMAT}'"
        if value > FORMAT:
            hint = "a newer forge is needed to read it: upgrade forge"
        elif value > 0:
            hint = "'forge migrate' rewrites it"
        return Diagnostic(
            where, f"the recipe is written for version {value} of the format; this forge reads {FORMAT}", hint
        )
    if any(problem.where == where for problem in document.problems):
        return None
    hint = f"remove the quotes: 'schema: {FORMAT}'" if value == str(FORMAT) else f"write 'schema: {FORMAT}'"
    return Diagnostic(where, f"schema must be the whole number {FORMAT}, not {_said(document, path, value)}", hint)


def schema_problems(document: Document) -> list[Diagnostic]:
    """Everything that the schema says is wrong with a document."""
    if not isinstance(document.data, dict):
        return [
            Diagnostic(
                document.value_at(()),
                f"a recipe is a mapping, not {_said(document, (), document.data)}",
                "it starts with 'schema: 2'; see docs/recipes.md",
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


def _diagnose(error: ValidationError, document: Document) -> Iterator[Diagnostic]:  # noqa: PLR0912 - one a keyword
    path: Path = tuple(error.absolute_path)
    name = dotted(path)
    value: Any = error.instance
    rule: Any = error.validator_value
    schema: Any = error.schema
    if "propertyNames" in error.absolute_schema_path:
        hint = schema.get("patternErrorMessage")
        yield Diagnostic(document.key_at((*path, value)), f"{shortened(value)} cannot be a name in {name}", hint)
        return
    if value == "" and any(problem.where == document.value_at(path) for problem in document.problems):
        return  # the YAML reader has complained about this value
    keyword: Any = error.validator
    match keyword:
        case "additionalProperties":
            yield from _unknown_keys(document, path, value, schema)
        case "required":
            yield from _missing_keys(document, path, value, schema)
        case "type":
            yield _wrong_type(document, path, value, str(rule))
        case "enum" | "const":
            yield _not_one_of(document, path, value, list(rule) if keyword == "enum" else [rule])
        case "pattern":
            message = f"{name} cannot be {shortened(value)}"
            yield Diagnostic(document.value_at(path), message, schema.get("patternErrorMessage"))
        case "uniqueItems":
            for number, item in enumerate(value):
                if item in value[:number]:
                    yield Diagnostic(document.value_at((*path, number)), f"{name} lists {item!r} twice", "keep one")
        case None:  # a key of native libraries, whose schema is 'false' for other back ends; it is not in the path
            data: Any = document.data
            build = data["build"]
            key = next(key for key in ("script", "options") if build.get(key) is value)
            said, needed = f"{name}.script is for native libraries", "'backend: script'"
            if key == "options":
                said = f"{name}.options is for native libraries that CMake, configure or Meson builds"
                needed = "'backend: cmake', autotools or meson"
            yield Diagnostic(document.key_at((*path, key)), said, f"set {needed}, or remove it")
        case "minLength" | "minItems" | "minProperties":
            yield Diagnostic(document.key_at(path), f"{name} is empty", "give it a value or remove it")
        case "oneOf" | "dependentRequired":
            yield from _source_problems(error, document, path)
        case _:  # a keyword added to the schema later: say what jsonschema says
            yield Diagnostic(document.value_at(path), f"{name}: {error.message}")


def _unknown_keys(document: Document, path: Path, value: Any, schema: Any) -> Iterator[Diagnostic]:
    known = schema.get("properties", {})
    inside = f" in {dotted(path)}" if path else ""
    for key in value:
        if key not in known:
            message = f"unknown key {shortened(key)}{inside}"
            hint = _MOVED.get((*path, key)) or did_you_mean(key, known)
            yield Diagnostic(document.key_at((*path, key)), message, hint)


def _missing_keys(document: Document, path: Path, value: Any, schema: Any) -> Iterator[Diagnostic]:
    unknown = set(value) - set(schema.get("properties", {}))
    missing = [key for key in schema["required"] if key not in value and not _misspelt(key, unknown)]
    if missing:
        plural = "s" if len(missing) > 1 else ""
        hint = f"add '{missing[0]}:'" if len(missing) == 1 else "add them; docs/recipes.md says what they mean"
        yield Diagnostic(document.key_at(path), f"{dotted(path)} is missing the key{plural} {_listed(missing)}", hint)


def _source_problems(error: ValidationError, document: Document, path: Path) -> Iterator[Diagnostic]:
    """The rules on which keys of ``source`` go together; no other part of the schema has such."""
    value: Any = error.instance
    if not isinstance(value, dict):
        return  # every branch of 'oneOf' holds for what is not a mapping; 'type' reports that
    if error.validator == "oneOf":
        given = [key for key in ("sdist", "url", "git", "path") if key in value]
        what = f"has {' and '.join(given)}" if given else "has none of them"
        message = f"source needs exactly one of sdist, url, git and path; it {what}"
        yield Diagnostic(document.key_at(path), message, "keep one" if given else "add one; see docs/recipes.md")
    elif "url" in value:
        hint = "add 'sha256:' under 'source:'"
        yield Diagnostic(document.key_at((*path, "url")), "source.url needs a sha256 beside it", hint)
    else:
        hint = "an sdist's sha256 goes under 'sdist:'"
        yield Diagnostic(document.key_at((*path, "sha256")), "source.sha256 belongs to source.url", hint)


def _wrong_type(document: Document, path: Path, value: object, expected: str) -> Diagnostic:
    raw = document.raw.get(path, "")
    said = _said(document, path, value)
    message = f"{dotted(path)} must be {_TYPES.get(expected, expected)}, not {said}"
    if value is None:
        message = f"{dotted(path)} is empty; it must be {_TYPES.get(expected, expected)}"
    hint = "give it a value or remove it" if value is None else None
    if expected == "string" and isinstance(value, bool | int | float) and raw:
        hint = f'quote it: "{raw[:60]}"'
    elif expected == "string" and value is not None:
        hint = f"write a single value: '{path[-1]}: …'" if path and isinstance(path[-1], str) else "write a string"
    elif expected == "object":
        hint = "write keys and values: {key: value}, or one 'key: value' a line"
    elif expected == "boolean":
        hint = "write true or false, without quotes"
    elif expected == "array":
        hint = "write a list: [a, b], or one '- ' a line"
    return Diagnostic(document.value_at(path), message, hint)


def _not_one_of(document: Document, path: Path, value: object, allowed: list[object]) -> Diagnostic:
    where, name = document.value_at(path), dotted(path)
    words = [str(word) for word in allowed]
    every = f"valid values are {', '.join(words)}"
    if isinstance(value, str):
        near = difflib.get_close_matches(value, words, n=1, cutoff=0.5)
        return Diagnostic(
            where, f"{name} cannot be {shortened(value)}", f"did you mean '{near[0]}'? {every}" if near else every
        )
    return Diagnostic(where, f"{name} cannot be {_said(document, path, value)}", every)


def _misspelt(key: str, unknown: set[str]) -> bool:
    """Whether one of the unknown keys is probably meant to be this one; then a single complaint is enough."""
    return bool(difflib.get_close_matches(key, [word.lower() for word in unknown], n=1, cutoff=0.7))


def _listed(words: list[str]) -> str:
    quoted = [repr(word) for word in words]
    return " and ".join(part for part in (", ".join(quoted[:-1]), quoted[-1]) if part)


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
