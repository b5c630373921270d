"""Fingerprints: sha256 over values and trees, the same on every machine."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def fingerprint(value: object) -> str:
    """The sha256 of a value's canonical JSON (sorted keys, no white space), as 64 hex digits.

    Args:
        value: JSON data: str, int, bool, None, lists and string-keyed mappings of these.

    Raises:
        TypeError: The value is not JSON data.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """The sha256 of a file's bytes, as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tree_sha256(root: Path) -> str:
    """The sha256 over a directory's relative paths, contents, link targets and executable bits, as 64 hex digits.

    Python's byte code (``__pycache__``) is left out; empty directories and time stamps do not count.
    """
    lines: list[str] = []
    for directory, subdirectories, files in os.walk(root):
        subdirectories[:] = sorted(d for d in subdirectories if d != "__pycache__")
        for name in files + [d for d in subdirectories if os.path.islink(os.path.join(directory, d))]:  # noqa: PTH114, PTH118 - os.walk's strings; trees are large
            path = root.__class__(directory) / name
            relative = path.relative_to(root).as_posix()
            if path.is_symlink():
                lines.append(f"{relative}\0link\0{path.readlink()}")
            else:
                executable = "x" if path.stat().st_mode & 0o100 else "-"
                lines.append(f"{relative}\0{executable}\0{file_sha256(path)}")
    return hashlib.sha256("\n".join(sorted(lines)).encode(errors="surrogateescape")).hexdigest()
