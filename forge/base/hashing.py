"""Fingerprints: sha256 over values and trees, the same on every machine."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_STRING = "|".join(
    rf"{quote}(?:\\.|[^\\])*?{quote}" if len(quote) == 3 else rf"{quote}(?:\\.|[^\\\n{quote}])*{quote}"
    for quote in ('"""', "'''", '"', "'")
)
_TOLD = re.compile(rf"(?P<string>{_STRING})|^[ \t]*(?:#[^\n]*)?\n|[ \t]*#[^\n]*", re.DOTALL | re.MULTILINE)
"""A string; an empty line, or one with a comment alone; a comment behind code."""


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
    return _tree_sha256(root, file_sha256)


def code_sha256(path: Path) -> str:
    """The sha256 of code as 64 hex digits: as `tree_sha256`, but Python's and YAML's comments do not count.

    Args:
        path: A file, or a directory of modules and data. The modules are written for Python 3.11: no f-string has its
            own quotes in it (PEP 701).
    """
    return _tree_sha256(path, _code_sha256) if path.is_dir() else _code_sha256(path)


def without_comments(text: str) -> str:
    """A module's text without comments and empty lines; strings stay as they are.

    Python's tokenizer would take ten times as long, and each command hashes all code that makes wheels.
    """
    return _TOLD.sub(r"\g<string>", text)


def _tree_sha256(root: Path, digest: Callable[[Path], str]) -> str:
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
                lines.append(f"{relative}\0{executable}\0{digest(path)}")
    return hashlib.sha256("\n".join(sorted(lines)).encode(errors="surrogateescape")).hexdigest()


def _code_sha256(path: Path) -> str:
    if path.suffix == ".py":
        text = without_comments(path.read_text(encoding="utf-8", errors="surrogateescape"))
        return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
    if path.suffix == ".yaml":
        import yaml  # noqa: PLC0415 - most that hash need none of it

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # five times as quick
        with contextlib.suppress(yaml.YAMLError):
            return fingerprint(json.loads(json.dumps(yaml.load(path.read_bytes(), loader), default=str)))  # noqa: S506
    return file_sha256(path)
