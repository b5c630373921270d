"""How bad something is that a check found."""

from __future__ import annotations

import enum


class Severity(enum.StrEnum):
    """An error fails what is made or checked, information needs nobody to do anything."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)
