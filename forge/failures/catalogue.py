"""The entries of the catalogue, read from ``catalogue.yaml`` beside this file."""

from __future__ import annotations

import enum
import functools
import importlib.resources
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMED = re.compile(r"(?<!\$)\{(\w+)\}")
"""A group of a signature in a text: ``{name}``, but not the shell's ``${name}``."""


class ChangeKind(enum.StrEnum):
    """What a change does to a recipe."""

    HOST = "host"
    """A host requirement: *value* is a package or library that has a recipe."""
    HEADER = "header"
    """The host requirement that brings a header."""
    LIBRARY = "library"
    """The host requirement that brings a library, and the flags with which compilers find it."""
    REQUIRES = "requires"
    """A build requirement (PEP 508)."""
    MODULE = "module"
    """The build requirement that brings a module or program, if it is one of those that are known."""
    LANGUAGE = "language"
    """A compiler."""
    VARIABLE = "variable"
    """An environment variable of the build: *name* gets *value*."""
    FLAG = "flag"
    """A flag at the end of an environment variable: *name* gets *value* besides."""
    SWITCH = "switch"
    """A variable that the build's scripts read and that may switch compiled code on; there is no value."""
    WITHOUT_EXTENSION = "without-extension"
    """An extension module that is no longer promised."""


@dataclass(frozen=True)
class Change:
    """A change of a recipe that a program can make, as part of a mend.

    Args:
        kind: What it does.
        value: What is added, set or removed; ``{name}`` as in causes.
        name: Of an environment variable.
    """

    kind: ChangeKind
    value: str = ""
    name: str = ""

    def filled(self, groups: Mapping[str, str | None]) -> Change | None:
        """The change for what was matched; None where it needs a group that took no part."""
        if any(groups.get(found, "") is None for found in NAMED.findall(self.value)):
            return None
        return Change(self.kind, filled(self.value, groups), self.name)


@dataclass(frozen=True)
class Entry:
    """A failure that is known.

    Args:
        id: Stable, in kebab case.
        tool: Who says it: configure, cmake, meson, compiler, linker, rust, python, pip, forge, tests.
        signature: What a line of the log has.
        cause: Why it fails; ``{name}`` stands for what the signature's group of that name matched.
        mend: What to do about it, likewise.
        example: Lines as logs have them.
        general: Whether its words say so little that any other entry is preferred.
        changes: What ``forge new --try`` changes in a recipe to mend it; all of them together.
    """

    id: str
    tool: str
    signature: re.Pattern[str]
    cause: str
    mend: str
    example: str
    general: bool = False
    changes: tuple[Change, ...] = ()


def filled(text: str, groups: Mapping[str, str | None]) -> str:
    """A cause or mend with what was matched in it; a group that took no part is called "it"."""
    return NAMED.sub(lambda found: (groups.get(found[1]) or "it") if found[1] in groups else found[0], text)


@functools.cache
def all_entries() -> tuple[Entry, ...]:
    """Every entry, in the order of the file: of two that match one line the first counts."""
    text = importlib.resources.files("forge.failures").joinpath("catalogue.yaml").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - safe
    return tuple(map(_entry, rows))


def _entry(row: dict[str, Any]) -> Entry:
    changes = tuple(
        Change(ChangeKind(each["kind"]), each.get("value", ""), each.get("name", "")) for each in row.get("changes", ())
    )
    return Entry(**{**row, "signature": re.compile(row["signature"]), "changes": changes})
