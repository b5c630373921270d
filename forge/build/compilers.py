"""The compilers of languages beside C and C++, found when a recipe names one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from forge.recipe.model import Language
from forge.toolchain.fortran import Flang, find_flang
from forge.toolchain.rust import Rust, find_rust

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True)
class Compilers:
    """What a build may use.

    Args:
        rust: Where the recipe names Rust.
        fortran: Where the recipe names Fortran.
    """

    rust: Rust | None = None
    fortran: Flang | None = None

    @property
    def identity(self) -> dict[str, str]:
        """What counts in a build's fingerprint."""
        named = {"rust": self.rust, "fortran": self.fortran}
        return {language: compiler.id for language, compiler in named.items() if compiler is not None}


def find_compilers(languages: Collection[Language]) -> Compilers:
    """The compilers of languages.

    Raises:
        ToolchainError: One is missing; says how to get it.
    """
    return Compilers(
        rust=_rust() if Language.RUST in languages else None,
        fortran=_fortran() if Language.FORTRAN in languages else None,
    )


@cache
def _rust() -> Rust:
    return find_rust()


@cache
def _fortran() -> Flang:
    return find_flang()
