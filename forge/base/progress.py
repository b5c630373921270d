"""How rooms tell what they are doing, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives what happens, from any thread."""

    def phase(self, subject: str, phase: str) -> None:
        """*subject* (e.g. ``numpy arm64-iphoneos``) has entered *phase* (e.g. ``configure``)."""

    def note(self, subject: str, text: str) -> None:
        """Something worth a line, e.g. that a cached wheel was taken."""

    def whole(self, done: int, total: int, seconds: float) -> None:
        """*done* of *total* parts of the whole have ended; the rest takes about so many *seconds*."""


class SilentProgress:
    """Listens to nothing."""

    def phase(self, subject: str, phase: str) -> None:
        """Ignore."""

    def note(self, subject: str, text: str) -> None:
        """Ignore."""

    def whole(self, done: int, total: int, seconds: float) -> None:
        """Ignore."""
