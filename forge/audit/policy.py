"""Policies: what is allowed, as data (``forge/audit/data``), read once."""

from __future__ import annotations

import enum
import fnmatch
import functools
import importlib.resources
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from forge.base.target import IOSVersion

if TYPE_CHECKING:
    from collections.abc import Mapping

_LIBRARIES = "/usr/lib/"
_FRAMEWORKS = "/System/Library/Frameworks/"
_PRIVATE = "/System/Library/PrivateFrameworks/"


class LibraryKind(enum.StrEnum):
    """What a path below ``/usr/lib`` or ``/System/Library`` is on iOS."""

    PUBLIC = "public"
    PRIVATE = "private"
    MACOS = "macOS only"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class SystemLibrary:
    """What is known of a library of the system.

    Args:
        kind: Whether iOS has it.
        since: The iOS version that it appeared in, where that is later than 12.0.
    """

    kind: LibraryKind
    since: IOSVersion | None = None


@dataclass(frozen=True)
class PrivateSymbol:
    """A symbol that the App Store rejects.

    Args:
        name: The linker's; a ``*`` at its end stands for any rest.
        what: Which library has it, in words.
        source: Who was rejected.
        common: Whether every app with Python in it has the name anyway.
    """

    name: str
    what: str
    source: str
    common: bool = False


@dataclass(frozen=True)
class StableAbi:
    """The symbols of CPython's stable ABI (PEP 384).

    Args:
        newest: The Python version that the list was made from, e.g. ``(3, 13)``.
        since: C names to the version that added each.
    """

    newest: tuple[int, int]
    since: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes above which an index or the App Store refuses a file."""

    wheel_bytes: int
    text_bytes: int


def is_below_system(path: str) -> bool:
    """Whether a library's path is one of the system's directories."""
    return path.startswith((_LIBRARIES, "/System/Library/"))


@functools.cache
def system_library(path: str) -> SystemLibrary:
    """What a library of the system is.

    Args:
        path: As a load command names it, in normal form, e.g. ``/usr/lib/libz.1.dylib``.
    """
    data = _system_libraries()
    if path.startswith(_PRIVATE):
        return SystemLibrary(LibraryKind.PRIVATE)
    if path.startswith(_FRAMEWORKS):
        framework = path.removeprefix(_FRAMEWORKS).partition("/")[0].removesuffix(".framework")
        if framework in data["macos_only"]["frameworks"]:
            return SystemLibrary(LibraryKind.MACOS)
        if framework in data["frameworks"]:
            return SystemLibrary(LibraryKind.PUBLIC, _version(data["frameworks"][framework]))
        return SystemLibrary(LibraryKind.UNKNOWN)
    name = path.removeprefix(_LIBRARIES)
    for pattern, since in data["libraries"].items():
        if fnmatch.fnmatchcase(name, pattern):
            return SystemLibrary(LibraryKind.PUBLIC, _version(since))
    if name in data["aliases"]:
        return SystemLibrary(LibraryKind.PUBLIC)
    if any(fnmatch.fnmatchcase(name, pattern) for pattern in data["macos_only"]["libraries"]):
        return SystemLibrary(LibraryKind.MACOS)
    return SystemLibrary(LibraryKind.UNKNOWN)


@functools.cache
def private_symbol(name: str) -> PrivateSymbol | None:
    """The entry of a symbol that the App Store rejects, or None."""
    exact, prefixes = _private_symbols()
    return exact.get(name) or next((entry for start, entry in prefixes if name.startswith(start)), None)


@functools.cache
def stable_abi() -> StableAbi:
    """CPython's stable ABI, as ``tools/stable_abi_symbols.py`` wrote it."""
    data: dict[str, Any] = json.loads(_text("stable_abi.json"))
    return StableAbi(_python(data["newest"]), {name: _python(added) for name, added in data["symbols"].items()})


@functools.cache
def limits() -> Limits:
    """What is too large."""
    return Limits(**_policy()["limits"])


def build_paths() -> tuple[str, ...]:
    """How absolute paths start that only build machines have."""
    return tuple(_policy()["build_paths"])


def known_archives() -> tuple[str, ...]:
    """Ends of the paths of static archives that a package ships on purpose."""
    return tuple(_policy()["known_archives"])


@functools.cache
def _system_libraries() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(_text("system_libraries.yaml"))
    return data


@functools.cache
def _policy() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(_text("policy.yaml"))
    return data


@functools.cache
def _private_symbols() -> tuple[dict[str, PrivateSymbol], tuple[tuple[str, PrivateSymbol], ...]]:
    entries = [
        PrivateSymbol(name, group["what"], group["source"], group.get("common", False))
        for group in yaml.safe_load(_text("private_symbols.yaml"))
        for name in group["symbols"]
    ]
    exact = {entry.name: entry for entry in entries if not entry.name.endswith("*")}
    return exact, tuple((entry.name[:-1], entry) for entry in entries if entry.name.endswith("*"))


def _text(name: str) -> str:
    return importlib.resources.files("forge.audit.data").joinpath(name).read_text(encoding="utf-8")


def _version(text: str | None) -> IOSVersion | None:
    version = IOSVersion.parse(text) if text else None
    return version if version and version > IOSVersion(12, 0) else None


def _python(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    return int(major), int(minor)
