"""The compilers of languages other than C and C++, looked for when a recipe names one."""

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
    """The compilers of a build.

    Args:
        rust: Rust, if the recipe names it.
        fortran: Fortran, if the recipe names it.
    """

    rust: Rust | None = None
    fortran: Flang | None = None

    @property
    def identity(self) -> dict[str, str]:
        """The compilers' part of a build's fingerprint."""
        named = {"rust": self.rust, "fortran": self.fortran}
        return {language: compiler.id for language, compiler in named.items() if compiler is not None}


def find_compilers(languages: Collection[Language]) -> Compilers:
    """The compilers of languages.

    Raises:
        ToolchainError: One is missing; the hint says how to install it.
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
