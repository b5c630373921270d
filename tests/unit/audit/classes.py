"""Wheels whose modules have C++ classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.audit.broken import wheel
from tests.unit.macho.builder import macho

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

LIBRARY = tuple(f"N3geo6Shape{number}E" for number in range(10))
"""The mangled names of ``geo::Shape0`` to ``geo::Shape9``."""


def module(name: str, classes: Iterable[str], exports: Iterable[str] = ()) -> bytes:
    """An extension module with the type information of classes, which are exported as far as *exports* says."""
    strings = "".join(f"\0{mangled}\0" for mangled in classes).encode()
    symbols = tuple(f"__ZTI{mangled}" for mangled in exports)
    return macho(exports=(f"_PyInit_{name}", *symbols), strings=strings)


def two_modules(first: Iterable[str], second: Iterable[str], exports: Iterable[str] = ()) -> Callable[[Path], Path]:
    """Writes a wheel of two modules with classes, of which both export some."""
    exported = tuple(exports)
    return wheel({"example/x.so": module("x", first, exported), "example/y.so": module("y", second, exported)})
