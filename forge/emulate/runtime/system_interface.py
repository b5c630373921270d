"""What the loader asks of Darwin's system libraries (`forge.emulate.runtime.system` has them)."""

from __future__ import annotations

from typing import Protocol


class Binding(Protocol):
    """What an import of a system library's symbol gets."""

    @property
    def address(self) -> int:
        """The address."""

    @property
    def source(self) -> str:
        """Who provides it: ``python``, ``shim``, ``glibc``, ..."""

    @property
    def entry(self) -> str:
        """The symbol there."""


class SystemLibrary(Protocol):
    """One install name."""

    @property
    def name(self) -> str:
        """The install name."""

    def find(self, symbol: str) -> Binding | None:
        """What provides a symbol (its name as on disk, with Darwin's underscore); None for nothing."""


class System(Protocol):
    """Every system library."""

    def library(self, install_name: str) -> SystemLibrary | None:
        """The library of an install name; None where it is no system library that is known."""
