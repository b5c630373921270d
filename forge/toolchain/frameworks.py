"""Which frameworks iOS has, and the names that each exports (``data/frameworks.yaml``, ``data/symbols/frameworks/``).

The lists are made by ``tools/framework_symbols.py``, which says from what. A file has four sections: ``[functions]``
and ``[constants]`` in C's spelling, ``[classes]`` of Objective-C, and ``[elsewhere]``: names that macOS's headers
declare and iOS's do not, classes with an ``@``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from forge.toolchain.data import data_path, load_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

CLASS_SYMBOLS = ("_OBJC_CLASS_$_", "_OBJC_METACLASS_$_")
"""What a class's name has before it in the two symbols that a library exports for it."""


@dataclass(frozen=True)
class FrameworkEntry:
    """What ``data/frameworks.yaml`` says of a framework.

    Args:
        compatibility_version: The version that a binary records as needed.
        also: Further lists of names in ``data/symbols/frameworks/``.
        symbols: Further lists of symbols, as in ``libraries.yaml``.
        reexports: The libraries that it gives as its own: frameworks by name, others by file name without suffix.
        partly: Whether it exports names that are not listed and may be used.
    """

    compatibility_version: str = "1"
    also: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    reexports: tuple[str, ...] = ()
    partly: bool = False


@dataclass(frozen=True)
class FrameworkNames:
    """The names of one framework, as the linker spells them.

    Args:
        symbols: What it exports, with the iOS version that introduced each where that is later than 12.0, else None.
        elsewhere: What macOS's headers declare for it and iOS's do not.
    """

    symbols: Mapping[str, str | None]
    elsewhere: frozenset[str]


@cache
def framework_entries() -> Mapping[str, FrameworkEntry]:
    """Every framework that the SDK has a stub for, by name."""
    data: dict[str, dict[str, Any]] = load_yaml("frameworks.yaml")
    return {
        name: FrameworkEntry(
            compatibility_version=entry.get("compatibility_version", "1"),
            also=tuple(entry.get("also", ())),
            symbols=tuple(entry.get("symbols", ())),
            reexports=tuple(entry.get("reexports", ())),
            partly=entry.get("partly", False),
        )
        for name, entry in data.items()
    }


def framework_path(name: str) -> str:
    """A framework's install name."""
    return f"/System/Library/Frameworks/{name}.framework/{name}"


def read_names(name: str) -> FrameworkNames:
    """The names of a list in ``data/symbols/frameworks/``; none if there is no such list."""
    path = data_path("symbols") / "frameworks" / f"{name}.txt"
    symbols: dict[str, str | None] = {}
    elsewhere: set[str] = set()
    section = ""
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        if line.startswith("["):
            section = line
            continue
        listed, _, since = line.partition(" ")
        is_class = section == "[classes]" or listed.startswith("@")
        spelled = [f"{prefix}{listed.removeprefix('@')}" for prefix in CLASS_SYMBOLS] if is_class else [f"_{listed}"]
        if section == "[elsewhere]":
            elsewhere.update(spelled)
        else:
            symbols.update(dict.fromkeys(spelled, since or None))
    return FrameworkNames(symbols, frozenset(elsewhere))
