"""Why a build differs from that of the merge base."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from forge.plan.explain import changed, shortened
from forge.plan.lock_differences import lock_differences
from forge.plan.plan_report import reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from forge.plan.changes.builds import KnownBuild

_MOST = 4


class Kind(StrEnum):
    """What of a build has changed."""

    NEW = "new"
    """There was no such build."""
    RECIPE = "recipe"
    """Its own recipe: its text, patches, or local source."""
    LOCK = "lock"
    """The lock of its build requirements."""
    HOST = "host"
    """What it links or compiles against."""
    FORGE = "forge"
    """forge's own code."""
    TOOLCHAIN = "toolchain"
    """The toolchain, compilers and build tools."""
    PYTHON = "python"
    """The iOS Python or the build Python."""
    UNKNOWN = "unknown"
    """That is not known: the merge base cannot be planned, or does not say."""


_KINDS = {"recipe": Kind.RECIPE, "host": Kind.HOST, "forge": Kind.FORGE, "ios python": Kind.PYTHON,
          "build python": Kind.PYTHON}  # fmt: skip


@dataclass(frozen=True)
class Cause:
    """One reason.

    Args:
        kind: What has changed.
        text: In a line, for people.
        recipe: The host requirement that has changed; else empty.
    """

    kind: Kind
    text: str
    recipe: str = ""


@dataclass(frozen=True)
class Around:
    """What of the two trees tells more than the inputs of a build, which are hashes in part.

    Args:
        rooms: The rooms of forge that have changed.
        locks: A recipe's lock at the merge base and now, by the recipe's name; they may not exist.
    """

    rooms: tuple[str, ...]
    locks: Mapping[str, tuple[Path, Path]]


def causes(before: KnownBuild | None, now: KnownBuild, around: Around) -> tuple[Cause, ...]:
    """Why a build differs; none if it does not.

    Args:
        before: The same build at the merge base; None if there was none.
        now: The build.
        around: What else is known of the two trees.
    """
    if before is None:
        return (Cause(Kind.NEW, "there was no such wheel"),)
    if before.fingerprint == now.fingerprint:
        return ()
    if before.inputs is None or now.inputs is None:
        text = "its fingerprint has changed; the merge base's forge does not say why"
        return _of_forge(around) or (Cause(Kind.UNKNOWN, text),)
    return tuple(_causes(before.inputs, now.inputs, now.recipe, around))


def _causes(before: Mapping[str, Any], now: Mapping[str, Any], recipe: str, around: Around) -> Iterator[Cause]:
    for change in changed(before, now):
        head, _, rest = change.what.partition(".")
        match change.what:
            case "forge":
                yield from _of_forge(around) or (Cause(Kind.FORGE, reason(change)),)
            case "recipe.lock":
                pins = _listed(lock_differences(*around.locks[recipe]))
                yield Cause(Kind.LOCK, f"its lock has changed: {pins}" if pins else "its lock has changed")
            case "recipe.patches":
                texts = _patches(before["recipe"]["patches"], now["recipe"]["patches"])
                yield from (Cause(Kind.RECIPE, text) for text in texts)
            case "recipe.source":
                yield Cause(Kind.RECIPE, "its source has changed")
            case _ if head == "recipe" and isinstance(now["recipe"].get(rest), list) and change.before:
                text = f"{change.what}: {_items(before['recipe'][rest], now['recipe'][rest])}"
                yield Cause(Kind.RECIPE, text)
            case _:
                kind = _KINDS.get(head, Kind.TOOLCHAIN)
                yield Cause(kind, reason(change), rest if kind is Kind.HOST else "")


def _items(before: Sequence[object], now: Sequence[object]) -> str:
    """Which items of a list are new, and which are gone."""
    said = [
        f"{shortened(json.dumps(item, ensure_ascii=False))} is {what}"
        for what, ones, others in (("new", now, before), ("gone", before, now))
        for item in ones
        if item not in others
    ]
    return _listed(said) or "another order"


def _listed(said: Sequence[str]) -> str:
    more = [f"{len(said) - _MOST} more"] if len(said) > _MOST else []
    return ", ".join([*said[:_MOST], *more])


def _of_forge(around: Around) -> tuple[Cause, ...]:
    if not around.rooms:
        return ()
    return (Cause(Kind.FORGE, f"forge's own code has changed: {', '.join(around.rooms)}"),)


def _patches(before: Iterable[tuple[str, str]], now: Iterable[tuple[str, str]]) -> Iterator[str]:
    old, new = dict(before), dict(now)
    for name in dict.fromkeys((*old, *new)):
        if name not in new:
            yield f"its patch {name} is gone"
        elif name not in old:
            yield f"its patch {name} is new"
        elif old[name] != new[name]:
            yield f"its patch {name} has changed"
    kept = [name for name in old if name in new]
    if kept != [name for name in new if name in old]:
        yield "the order of its patches has changed"
