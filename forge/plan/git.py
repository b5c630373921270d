"""Git, as this machine's user has it, for the repository that recipes are in."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, ClassVar

from forge.base.errors import ForgeError, ToolchainError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_OF_A_CALLER = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE")
"""Variables that a hook, or a git that runs forge, sets for its own repository."""


class RepositoryError(ForgeError):
    """A git repository is not there, or lacks what was asked of it."""

    exit_code: ClassVar[int] = 17
    title: ClassVar[str] = "repository"


class GitError(RepositoryError):
    """Git said no.

    Args:
        message: What was asked, and the last lines of what git said.
        said: All that git said.
        code: Its exit code.
    """

    def __init__(self, message: str, said: str, code: int) -> None:
        super().__init__(message, hint="see what git says, e.g. with 'git status' in that directory")
        self.said = said
        self.code = code


def git(directory: Path, *arguments: str, env: Mapping[str, str] | None = None, data: bytes | None = None) -> str:
    """What a git command prints, without white space at the end.

    Args:
        directory: Where it runs.
        arguments: Its arguments.
        env: Variables beside those of this process.
        data: Its standard input.

    Raises:
        ToolchainError: There is no git.
        GitError: It failed.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in _OF_A_CALLER}
    environment = {**inherited, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **(env or {})}
    try:
        done = subprocess.run(
            ["git", "-C", str(directory), *arguments], input=data if data is not None else b"", env=environment,
            capture_output=True, check=False,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise ToolchainError(
            "the program 'git' is missing", hint="install it, e.g. with your package manager"
        ) from error
    except OSError as error:
        raise ToolchainError(f"cannot run git: {error.strerror}") from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", errors="replace").strip()
        lines = "".join(f"\n  {line}" for line in said.splitlines()[-4:])
        raise GitError(f"'git {arguments[0]}' failed in {directory}{lines}", said, done.returncode)
    return os.fsdecode(done.stdout).rstrip()


def toplevel(directory: Path) -> Path:
    """The root of the repository that a directory is in.

    Raises:
        ToolchainError: There is no git.
        RepositoryError: It is in none.
    """
    try:
        found = git(directory, "rev-parse", "--show-toplevel")
    except GitError as error:
        if "dubious ownership" in error.said:
            raise RepositoryError(
                f"git refuses {directory}: it belongs to another user",
                hint=f"allow it: git config --global --add safe.directory {directory}",
            ) from error
        raise RepositoryError(
            f"{directory} is not in a git repository", hint="run this where the recipes are under version control"
        ) from error
    if not found:
        raise RepositoryError(f"{directory} is in a bare git repository", hint="run this in a checkout")
    return directory.__class__(found)
