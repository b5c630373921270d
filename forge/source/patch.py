"""Patches: unified diffs, applied exactly or not at all.

The ``patch`` program applies them. What it would do beyond that is ruled out before: touching files outside
the tree or through links, running ``ed``, guessing (fuzz). Patched files keep their times, so that a patch to
``configure.ac`` does not make Make run autoconf; new files get the newest time of the tree.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from forge.base.errors import SourceError, ToolchainError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HUNK = re.compile(r"@@ -\d+(?:,(?P<old>\d+))? \+\d+(?:,(?P<new>\d+))? @@")
_UNSUPPORTED = (
    ("GIT binary patch", "it changes a binary file"),
    ("Binary files ", "it changes a binary file"),
    ("rename from ", "it renames a file"),
    ("copy from ", "it copies a file"),
    ("new file mode 120000", "it makes a symbolic link"),
)
_EXCERPT = 12  # lines of a rejected hunk that an error shows


@dataclass(frozen=True)
class _Touched:
    """A file that a patch names, and the line that does."""

    path: PurePosixPath
    line: int


def apply_patches(tree: Path, patches: Sequence[Path]) -> None:
    """Apply unified diffs in order, with ``-p1`` and without fuzz.

    If one fails, the tree is left half patched: use a copy.

    Args:
        tree: The directory to change.
        patches: Files of unified diffs.

    Raises:
        SourceError: A patch cannot be read, touches something outside the tree, or does not apply.
        ToolchainError: There is no ``patch`` program.
    """
    if not patches:
        return
    program = shutil.which("patch", path=os.defpath)  # the machine's, whatever the user's PATH says
    if program is None:
        raise ToolchainError("the program 'patch' is missing", hint="install it, e.g. with your package manager")
    gnu = "GNU patch" in subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    newest = max((path.lstat().st_mtime for path in _files(tree)), default=0.0)
    for patch in patches:
        _apply(program, tree, patch, newest, gnu=gnu)


def _apply(program: str, tree: Path, patch: Path, newest: float, *, gnu: bool) -> None:
    touched = sorted({each.path for each in _checked(patch, tree)})
    times = {path: (tree / path).stat().st_mtime for path in touched if (tree / path).exists()}
    # Short options: Apple's patch knows no others. -u: a file that looks like an ed script would else be run
    # by ed.
    command = [program, "-p1", "-u", "-N", "-f", "-F", "0", "-d", str(tree), "-i", str(patch.resolve())]
    if gnu:
        command.append("--no-backup-if-mismatch")
    # Not the user's: POSIXLY_CORRECT and PATCH_GET change what a patch does.
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TMPDIR": tempfile.gettempdir()}
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, env=environment, errors="replace", check=False
    )
    if done.returncode != 0:
        said = (done.stdout + done.stderr).replace(program, "patch")
        raise SourceError(
            f"the patch {patch.name} does not apply\n{_rejected(tree, touched, said)}",
            hint="make the patch again from this version's source; it must fit without fuzz",
        )
    for path in touched:
        if (tree / path).exists():
            mtime = times.get(path, newest)
            os.utime(tree / path, (mtime, mtime))


def _checked(patch: Path, tree: Path) -> Iterator[_Touched]:
    """The files that a patch touches, each known to lie in the tree."""
    try:
        text = patch.read_bytes().decode("utf-8", errors="surrogateescape")
    except OSError as error:
        raise SourceError(f"cannot read the patch {patch.name}: {error.strerror}") from error
    found = 0
    for touched in _touched_files(text, patch.name):
        found += 1
        inside = tree
        for part in touched.path.parts[:-1]:
            inside /= part
            if inside.is_symlink():
                raise _refused(patch.name, touched.line, f"{touched.path} goes through the link {part!r}")
        if (tree / touched.path).is_symlink():
            raise _refused(patch.name, touched.line, f"{touched.path} is a link")
        yield touched
    if not found:
        raise SourceError(
            f"the patch {patch.name} changes nothing",
            hint="it must be a unified diff ('diff -u', 'git diff')",
        )


def _touched_files(text: str, name: str) -> Iterator[_Touched]:
    """The files named by the headers of a unified diff; a hunk's lines that look like headers are none."""
    old = new = 0  # lines of the hunk still to come, on each side
    for number, line in enumerate(text.split("\n"), start=1):
        if old > 0 or new > 0:
            old -= line.startswith(("-", " ")) or line in ("", "\r")
            new -= line.startswith(("+", " ")) or line in ("", "\r")
            continue
        hunk = _HUNK.match(line)
        if hunk:
            old, new = int(hunk["old"] or 1), int(hunk["new"] or 1)
        for sign, why in _UNSUPPORTED:
            if line.startswith(sign):
                raise _refused(name, number, why)
        if line.startswith(("--- ", "+++ ", "Index: ")):
            path = _header_path(line.split(" ", maxsplit=1)[1])
            if path is None:
                continue
            if not path.parts or ".." in path.parts:
                raise _refused(name, number, "it changes something outside the source")
            yield _Touched(path, number)


def _header_path(text: str) -> PurePosixPath | None:
    """The path in a header, without its first part (``-p1``) and without a time stamp; None for no file."""
    shown = text.partition("\t")[0].strip().strip('"')
    if shown == "/dev/null":
        return None
    # A leading slash is the first part to strip for patch; it is refused here all the same.
    path = PurePosixPath(shown)
    return PurePosixPath("..") if path.is_absolute() else PurePosixPath(*path.parts[1:])


def _refused(name: str, line: int, why: str) -> SourceError:
    return SourceError(
        f"the patch {name} is refused, line {line}: {why}", hint="write it as a plain unified diff with -p1"
    )


def _rejected(tree: Path, touched: Sequence[PurePosixPath], said: str) -> str:
    """What patch said, and the first hunk that it rejected."""
    lines = [f"  {line}" for line in said.strip().splitlines()[:8]]
    for path in touched:
        reject = tree / f"{path}.rej"
        if reject.is_file():
            content = reject.read_text(encoding="utf-8", errors="replace").splitlines()
            lines += [f"  {path}.rej:", *(f"    {line}" for line in content[:_EXCERPT])]
            lines += ["    …"] if len(content) > _EXCERPT else []
            break
    return "\n".join(lines)


def _files(tree: Path) -> Iterator[Path]:
    for directory, _, files in os.walk(tree):
        yield from (Path(directory, file) for file in files)
