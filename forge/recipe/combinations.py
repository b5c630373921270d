"""Keys of a recipe that mean nothing, or contradict each other, together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forge.recipe.diagnostics import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.recipe.document import Document


def combination_problems(document: Document) -> Iterator[Diagnostic]:
    """Everything that means nothing beside what else the recipe says.

    A section that is not a mapping is passed over: the schema has complained about it.
    """
    build, wheel = _section(document, "build"), _section(document, "wheel")
    backend = build.get("backend")
    native = wheel.get("native", True)
    for key in ("extensions", "libraries"):
        if native is False and wheel.get(key):
            message = f"wheel.{key} contradicts 'native: false', which says that the wheel has no compiled code"
            yield Diagnostic(document.key_at(("wheel", key)), message, "remove one of the two")
    if backend == "script":
        for section, key in (("build", "config_settings"), ("wheel", "extensions"), ("wheel", "libraries")):
            if key in _section(document, section):
                message = f"{section}.{key} means nothing with 'backend: script', which builds a native library"
                yield Diagnostic(document.key_at((section, key)), message, "remove it")
    elif isinstance(backend, str) and "license_files" in wheel:
        message = "wheel.license_files is for native libraries; a package's back end adds its own licence files"
        yield Diagnostic(document.key_at(("wheel", "license_files")), message, "remove it")


def _section(document: Document, name: str) -> dict[str, Any]:
    data = document.data.get(name) if isinstance(document.data, dict) else None
    return data if isinstance(data, dict) else {}
