"""Keys of a recipe that mean nothing, or contradict each other, together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from forge.recipe.diagnostics import Diagnostic
from forge.recipe.model import LIBRARY_REQUIRES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.recipe.document import Document, Path

_TARGET_CONDITIONS = ("abi", "arch", "ios_version")
_TARGET_VARIABLE = re.compile(r"(?<!\$)\$\{(abi|arch|multiarch|platform_tag|ios_version)\}")


def combination_problems(document: Document) -> Iterator[Diagnostic]:
    """Everything that means nothing beside what else the recipe says.

    A section that is not a mapping is passed over: the schema has complained about it.
    """
    build, wheel = _section(document, "build"), _section(document, "wheel")
    backend = build.get("backend")
    native = wheel.get("native", True)
    if native is False:
        if wheel.get("libraries"):
            message = "wheel.libraries contradicts 'native: false', which says that the wheel has no compiled code"
            yield Diagnostic(document.key_at(("wheel", "libraries")), message, "remove one of the two")
        for section, value in (document.data if isinstance(document.data, dict) else {}).items():
            if section != "test":
                yield from _target_problems(document, (section,), value)
    if isinstance(backend, str) and backend in LIBRARY_REQUIRES:
        for section, key in (("build", "config_settings"), ("wheel", "libraries")):
            if key in _section(document, section):
                message = f"{section}.{key} means nothing with 'backend: {backend}', which builds a native library"
                yield Diagnostic(document.key_at((section, key)), message, "remove it")
    elif isinstance(backend, str) and "license_files" in wheel:
        message = "wheel.license_files is for native libraries; a package's back end adds its own licence files"
        yield Diagnostic(document.key_at(("wheel", "license_files")), message, "remove it")


def _target_problems(document: Document, path: Path, value: object) -> Iterator[Diagnostic]:
    """What of a pure wheel's recipe depends on the target: there is one such wheel for all of them."""
    if isinstance(value, dict):
        for key, item in value.items():
            if path[-1:] == ("when",) and key in _TARGET_CONDITIONS:
                message = f"a condition on {key} contradicts 'native: false': a pure wheel is the same for all targets"
                yield Diagnostic(document.key_at((*path, key)), message, "remove the condition")
            else:
                yield from _target_problems(document, (*path, key), item)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _target_problems(document, (*path, number), item)
    elif isinstance(value, str) and (found := _TARGET_VARIABLE.search(value)):
        message = f"{found[0]} contradicts 'native: false': a pure wheel is the same for all targets"
        yield Diagnostic(document.value_at(path), message, "remove the variable")


def _section(document: Document, name: str) -> dict[str, Any]:
    data = document.data.get(name) if isinstance(document.data, dict) else None
    return data if isinstance(data, dict) else {}
