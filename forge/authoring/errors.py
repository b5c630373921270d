"""What keeps a recipe from being updated."""

from __future__ import annotations

from typing import ClassVar

from forge.base.errors import ForgeError


class UpdateError(ForgeError):
    """An update does not hold together, or there is something to update."""

    exit_code: ClassVar[int] = 18
    title: ClassVar[str] = "update"
