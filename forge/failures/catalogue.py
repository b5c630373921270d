"""The entries of the catalogue, read from ``catalogue.yaml`` beside this file."""

from __future__ import annotations

import functools
import importlib.resources
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMED = re.compile(r"(?<!\$)\{(\w+)\}")


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
    """

    id: str
    tool: str
    signature: re.Pattern[str]
    cause: str
    mend: str
    example: str
    general: bool = False


def filled(text: str, groups: Mapping[str, str | None]) -> str:
    """A cause or mend with what was matched in it; a group that took no part is called "it"."""
    return _NAMED.sub(lambda found: (groups.get(found[1]) or "it") if found[1] in groups else found[0], text)


@functools.cache
def all_entries() -> tuple[Entry, ...]:
    """Every entry, in the order of the file: of two that match one line the first counts."""
    text = importlib.resources.files("forge.failures").joinpath("catalogue.yaml").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - safe
    return tuple(Entry(**{**row, "signature": re.compile(row["signature"])}) for row in rows)
