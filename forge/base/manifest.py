"""Manifests: what each file of a tree held at some time, to see later what has changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.hashing import file_sha256

if TYPE_CHECKING:
    from collections.abc import Mapping

_LEFT_OUT = frozenset({".git", "__pycache__"})


def tree_manifest(root: Path) -> dict[str, str]:
    """The sha256 of each file of a tree by its path relative to it; of a symbolic link, where it leads (``-> x``).

    Python's byte code and git's own files are left out, and so are empty directories, sockets and the like.
    """
    found: dict[str, str] = {}
    for directory, subdirectories, files in os.walk(root):
        here = Path(directory)
        links = [name for name in subdirectories if (here / name).is_symlink()]
        subdirectories[:] = sorted(name for name in subdirectories if name not in _LEFT_OUT and name not in links)
        for name in sorted((*files, *links)):
            if (content := _content(here / name)) is not None:
                found[(here / name).relative_to(root).as_posix()] = content
    return found


def changed_since(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    """The part of a manifest that an earlier one has not, or with another content; what was deleted is not in it.

    Args:
        before: The earlier one.
        now: The later one.
    """
    return {name: content for name, content in now.items() if content != before.get(name)}


def _content(path: Path) -> str | None:
    try:
        if path.is_symlink():
            return f"-> {path.readlink()}"
        return file_sha256(path) if path.is_file() else None
    except OSError:  # removed meanwhile, or not ours to read: a build's own temporary file
        return None
