"""Sizes of files, for people."""

from __future__ import annotations


def size_text(size: int) -> str:
    """A number of bytes for people, e.g. ``1.2 MB`` (10⁶)."""
    for unit, factor in (("MB", 1_000_000), ("kB", 1_000)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size} B"
