"""A cache that shares everything with the user's but built wheels, so that what is built in it is built, not found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from forge.base.paths import ForgeHome

if TYPE_CHECKING:
    from pathlib import Path

    from forge.build.recipe_build import Setting


@dataclass(frozen=True)
class _OwnWheels(ForgeHome):
    own: Path

    @property
    def wheels(self) -> Path:
        return self.own


def with_own_wheels(setting: Setting, directory: Path) -> Setting:
    """A setting whose built wheels are kept in *directory*."""
    return replace(setting, home=_OwnWheels(setting.home.root, directory))
