"""The merge base of a branch: which commit it is, and its files."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forge.plan.git import GitError, RepositoryError, git, toplevel

if TYPE_CHECKING:
    from collections.abc import Iterator

_FETCH = "fetch the whole history, e.g. 'git fetch --unshallow', or 'fetch-depth: 0' for actions/checkout"


@dataclass(frozen=True)
class Base:
    """What a branch is compared with.

    Args:
        ref: As it was named.
        commit: The merge base of *ref* and HEAD.
        top: The root of the repository.
    """

    ref: str
    commit: str
    top: Path


def find_base(directory: Path, ref: str) -> Base:
    """The merge base of a ref and HEAD.

    Args:
        directory: A directory of the repository.
        ref: A branch, tag or commit.

    Raises:
        ToolchainError: There is no git.
        RepositoryError: The directory is in no repository, there is no such ref, or no common ancestor.
    """
    top = toplevel(directory)
    _commit(top, "HEAD", "the repository has no commit yet", "commit something first")
    if meant := _remote(top, ref):
        hint = f"give --base {meant}"
    elif _is_shallow(top):
        hint = _FETCH
    else:
        hint = "see 'git branch --all'; a branch of a remote is there once 'git fetch' was run"
    wanted = _commit(top, ref, f"there is no commit {ref!r}", hint)
    try:
        return Base(ref, git(top, "merge-base", wanted, "HEAD").splitlines()[0], top)
    except GitError as error:
        if error.code != 1 or error.said:  # 1 without a word: there is none
            raise
        shallow = _is_shallow(top)
        why = ": this is a shallow clone, which lacks it" if shallow else ""
        raise RepositoryError(
            f"HEAD and {ref} have no common ancestor{why}",
            hint=_FETCH if shallow else "name the branch that this one started from",
        ) from error


def _commit(top: Path, ref: str, message: str, hint: str) -> str:
    try:
        return git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}").splitlines()[-1]
    except (GitError, IndexError) as error:
        raise RepositoryError(message, hint=hint) from error


def _remote(top: Path, ref: str) -> str:
    """What may have been meant by a branch that is only known as a remote's."""
    with contextlib.suppress(GitError):
        found = git(top, "for-each-ref", "--format=%(refname:short)", f"refs/remotes/*/{ref}").splitlines()
        if found:
            return found[0]
    return ""


def _is_shallow(top: Path) -> bool:
    return git(top, "rev-parse", "--is-shallow-repository") == "true"


@contextlib.contextmanager
def checked_out(base: Base) -> Iterator[Path]:
    """The files of the merge base in a directory of their own, as long as they are looked at.

    They are written through an index of their own: the user's checkout, index and list of worktrees stay as they are.

    Raises:
        RepositoryError: Git cannot write them.
    """
    with tempfile.TemporaryDirectory(prefix="forge-base-") as scratch:
        directory = Path(scratch).resolve()
        index = {"GIT_INDEX_FILE": str(directory / "index")}
        git(base.top, "read-tree", base.commit, env=index)
        tree = directory / "tree"
        tree.mkdir()
        git(base.top, "checkout-index", "--all", "--quiet", f"--prefix={tree}/", env=index)
        yield tree
