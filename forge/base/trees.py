"""The files of a local source: one walk for what is hashed and what is copied.

In a git checkout they are git's: what is tracked, and what is neither tracked nor ignored. Elsewhere they are all files
but version control's and Python's byte code. What is neither file nor symbolic link (a FIFO, a socket) is none of them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.errors import ForgeError, ToolchainError
from forge.base.hashing import file_sha256
from forge.base.paths import ForgeHome
from forge.base.process import output

if TYPE_CHECKING:
    from collections.abc import Iterator

_LEFT_OUT = {".git", ".hg", ".svn", "__pycache__"}


def local_files(root: Path) -> list[str]:
    """The files and symbolic links of a directory, relative to it, sorted.

    forge's own cache is left out if it is below.

    Raises:
        OSError: A directory cannot be read.
    """
    try:
        home: Path | None = ForgeHome.from_environment().root.resolve()
    except ForgeError:
        home = None
    listed = _tracked(root) if (root / ".git").exists() else None
    names = _walk(root, root, home) if listed is None else _expand(root, listed, home)
    return sorted(set(names))


def local_sha256(root: Path) -> str:
    """The sha256 over the names, contents, link targets and executable bits of `local_files`, as 64 hex digits."""
    lines = []
    for name in local_files(root):
        path = root / name
        if path.is_symlink():
            lines.append(f"{name}\0link\0{path.readlink()}")
        else:
            executable = "x" if path.stat().st_mode & 0o100 else "-"
            lines.append(f"{name}\0{executable}\0{file_sha256(path)}")
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()


def copy_local(root: Path, destination: Path) -> None:
    """Copy `local_files` into a directory that exists, with their times and modes; symbolic links stay links."""
    for name in local_files(root):
        target = destination / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, target, follow_symlinks=False)


def _tracked(root: Path) -> list[str] | None:
    """What git counts to a checkout; None if git does not say."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command: list[str | Path] = ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        return [name for name in output(command, env=env).split("\0") if name]
    except ToolchainError:
        return None


def _expand(root: Path, names: list[str], home: Path | None) -> Iterator[str]:
    """Names of files; those of submodules stand for what is in them, and deleted files are none."""
    for name in names:
        path = root / name
        if path.is_dir() and not path.is_symlink():
            yield from _walk(root, path, home)
        elif _counts(path) and not (home and path.resolve().is_relative_to(home)):
            yield name


def _walk(root: Path, start: Path, home: Path | None) -> Iterator[str]:
    def failed(error: OSError) -> None:
        raise error

    for directory, subdirectories, files in os.walk(start, onerror=failed):
        here = Path(directory)
        links = [name for name in subdirectories if (here / name).is_symlink()]
        subdirectories[:] = [
            name
            for name in subdirectories
            if name not in _LEFT_OUT and name not in links and (here / name).resolve() != home
        ]
        for name in (*files, *links):
            if name not in _LEFT_OUT and _counts(here / name):  # '.git' is a file in a work tree of its own
                yield (here / name).relative_to(root).as_posix()


def _counts(path: Path) -> bool:
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)
