"""Source trees made of a few files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.authoring.source_tree import SourceTree, read_tree

if TYPE_CHECKING:
    from pathlib import Path


def tree(root: Path, **files: str) -> SourceTree:
    """A tree; in its files' names ``__`` stands for a slash, ``_dot_`` for a dot."""
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return read_tree(root)


def system(backend: str = "", requires: str = "", more: str = "") -> str:
    """A ``pyproject.toml`` with a build system."""
    named = f"build-backend = '{backend}'\n" if backend else ""
    return f"[build-system]\nrequires = [{requires}]\n{named}{more}"
