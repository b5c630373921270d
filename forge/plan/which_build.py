"""Which build a person means who names a recipe, and perhaps a target or a Python: the newest of those kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.base.errors import BuildError
from forge.crossbuild.edits import has_edits
from forge.crossbuild.kept import kept_builds

if TYPE_CHECKING:
    from forge.base.paths import ForgeHome
    from forge.base.target import Abi, Arch, IOSVersion
    from forge.crossbuild.kept import KeptBuild
    from forge.recipe.model import Recipe


@dataclass(frozen=True)
class Choice:
    """What was said about a build; None, and no variants, stand for any.

    Args:
        abi: Device or simulator.
        arch: The CPU architecture.
        ios_version: The minimum iOS version.
        python: Python's major.minor.
        variants: The variants that were named.
    """

    abi: Abi | None = None
    arch: Arch | None = None
    ios_version: IOSVersion | None = None
    python: str | None = None
    variants: tuple[str, ...] = ()

    def admits(self, kept: KeptBuild) -> bool:
        """Whether a kept build is one of those that were meant."""
        target = kept.target
        return (
            (not kept.native or (self.abi in (None, target.abi) and self.arch in (None, target.arch)))
            and (not kept.native or self.ios_version in (None, target.ios_version))
            and self.python in (None, kept.python)
            and (not self.variants or set(kept.variants) == set(self.variants))
        )


def newest_kept(home: ForgeHome, recipe: Recipe, choice: Choice) -> KeptBuild | None:
    """The newest work directory of a recipe's builds of this version, or None.

    Args:
        home: The cache.
        recipe: The recipe.
        choice: What was said about the build.
    """
    return next(iter(_kept(home, recipe, choice)), None)


def need_kept(home: ForgeHome, recipe: Recipe, choice: Choice, *, edited: bool = False) -> KeptBuild:
    """The newest work directory of a recipe's builds of this version.

    Args:
        home: The cache.
        recipe: The recipe.
        choice: What was said about the build.
        edited: Prefer the newest of those whose source tree a person edited.

    Raises:
        BuildError: There is none.
    """
    if kept := _kept(home, recipe, choice):
        return next(filter(has_edits, kept), kept[0]) if edited else kept[0]
    name = recipe.normalized_name
    hint = f"'forge build {name}' leaves one if it fails; 'forge shell {name}' prepares one"
    which = ""
    if others := _kept(home, recipe, Choice()):
        which = " that fits the options"
        hint = f"there is {', '.join(dict.fromkeys(map(_described, others)))}; {hint}"
    raise BuildError(f"there is no failed build of {recipe.name} {recipe.version}{which}", hint=hint)


def _kept(home: ForgeHome, recipe: Recipe, choice: Choice) -> list[KeptBuild]:
    found = kept_builds(home, recipe.normalized_name)
    return [kept for kept in found if kept.version == recipe.version and choice.admits(kept)]


def _described(kept: KeptBuild) -> str:
    variants = "".join(f", {variant}" for variant in kept.variants)
    return f"{kept.subject} (Python {kept.python}, iOS {kept.target.ios_version}{variants})"
