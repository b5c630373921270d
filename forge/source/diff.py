"""Unified diffs of files, as `forge.source.patch` applies them."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from forge.base.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path


def file_diff(old: Path, new: Path, name: str) -> bytes:
    """The unified diff of one file, with ``a/`` and ``b/`` before its name; empty if both are the same.

    Args:
        old: The file as it was; need not exist.
        new: The file as it is; need not exist.
        name: Its path in the source tree.

    Raises:
        SourceError: A unified diff cannot say what is different: a link, a binary file, an empty file, an odd name.
    """
    if "\n" in name or "\t" in name or '"' in name:
        raise _refused(name, "its name has a tab, a quote or a line break in it")
    before, after = _lines(old, name), _lines(new, name)
    if before == after:
        return b""
    if not before and not after:
        raise _refused(name, "it is empty")
    diff = difflib.unified_diff(
        before or [], after or [],
        "/dev/null" if before is None else f"a/{name}", "/dev/null" if after is None else f"b/{name}", lineterm="",
    )  # fmt: skip
    text = "".join(_ended(line, is_header=number < 2) for number, line in enumerate(diff))
    return text.encode("utf-8", errors="surrogateescape")


def _lines(file: Path, name: str) -> list[str] | None:
    """A file's lines with their ends; None if there is no file."""
    if file.is_symlink():
        raise _refused(name, "it is a symbolic link")
    if not file.exists():
        return None
    content = file.read_bytes()
    if b"\0" in content:
        raise _refused(name, "it is a binary file")
    # Only at line feeds: str.splitlines knows more line breaks than patch does.
    lines = content.decode("utf-8", errors="surrogateescape").split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _ended(line: str, *, is_header: bool) -> str:
    """A line of a diff with its end."""
    if is_header:
        return f"{line}\t\n" if " " in line[4:] else f"{line}\n"  # as git does: patch reads a name up to the tab
    if line.startswith("@@"):
        return f"{line}\n"
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _refused(name: str, why: str) -> SourceError:
    return SourceError(
        f"the change of {name!r} cannot be written as a patch because {why}",
        hint="undo the change: recipes' patches are plain unified diffs",
    )
