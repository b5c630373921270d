"""A cache that shares everything with the user's but built wheels, so that what is built in it is built, not found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from forge.base.paths import ForgeHome

if TYPE_CHECKING:
    from pathlib import Path

    from forge.crossbuild.context import BuildContext


@dataclass(frozen=True)
class _OwnWheels(ForgeHome):
    own: Path

    @property
    def wheels(self) -> Path:
        return self.own


def with_own_wheels(context: BuildContext, directory: Path) -> BuildContext:
    """A build context whose built wheels are kept in *directory*."""
    return replace(context, home=_OwnWheels(context.home.root, directory))
