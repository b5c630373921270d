"""Updates as commits on branches of their own, made from HEAD without a look at the checkout."""

from __future__ import annotations

import os
import stat
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from forge.authoring.outcome import Outcome, Status
from forge.authoring.prepare import Workshop
from forge.authoring.update import prepare_all
from forge.base.errors import ForgeError
from forge.plan.changes.base import checked_out, find_base
from forge.plan.git import GitError, RepositoryError, git
from forge.recipe.store import RecipeStore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.utils import NormalizedName

    from forge.authoring.newest import Wish
    from forge.lint.upstream import Upstream
    from forge.plan.changes.base import Base


def update_on_branches(
    directory: Path, names: Sequence[NormalizedName], wishes: Mapping[NormalizedName, Wish], upstream: Upstream,
    minor: str,
) -> list[Outcome]:  # fmt: skip
    """Update recipes as they are in HEAD, each in a commit on a branch ``update/NAME-VERSION``.

    What has to follow a recipe's new version is in the same commit. Neither checkout nor index is touched.

    Args:
        directory: The directory of recipes, in a git repository.
        names: The recipes to update; all of HEAD if there is none.
        wishes: Which versions are taken, by recipe.
        upstream: Asks the indexes.
        minor: The version of Python that requirements are locked for.

    Raises:
        RepositoryError: The directory is in no repository, or git cannot commit.
        RecipeError: HEAD has no such recipe, or one is wrong there.
    """
    head = find_base(directory, "HEAD")
    upstream.home.work.mkdir(parents=True, exist_ok=True)
    outcomes: list[Outcome] = []
    with (
        checked_out(head) as tree,
        tempfile.TemporaryDirectory(prefix="update-", dir=upstream.home.work, ignore_cleanup_errors=True) as scratch,
    ):
        store = RecipeStore(tree / directory.relative_to(head.top.resolve()))
        workshop = Workshop(upstream, minor, Path(scratch))
        for recipe in store.load_all(names or store.names()):
            run = prepare_all(store, [recipe], wishes, workshop)
            outcome, *followers = run.outcomes()
            if outcome.status is Status.UPDATED:
                branch = f"update/{recipe.normalized_name}-{outcome.after}"
                files: dict[str, Path] = {}
                for made in run.prepared.values():
                    files |= _changed_files(made.recipe.directory, made.directory, tree)
                try:
                    _commit(head, branch, files, _message(outcome, followers))
                except ForgeError as error:
                    outcome = replace(outcome, status=Status.FAILED, modules=None, pins=(), error=error)
                else:
                    notes = (*outcome.notes, *_dirty(head, files))
                    outcome = replace(outcome, branch=branch, notes=notes)
                    followers = [replace(each, branch=branch) for each in followers]
            outcomes += [outcome, *followers]
    return outcomes


def _changed_files(old: Path, new: Path, tree: Path) -> dict[str, Path]:
    """The files of a prepared recipe that are not as they were, by their path in the repository."""
    found: dict[str, Path] = {}
    for directory, _, names in os.walk(new):
        for name in names:
            file = Path(directory, name)
            before = old / file.relative_to(new)
            if not file.is_symlink() and (not before.is_file() or before.read_bytes() != file.read_bytes()):
                found[before.relative_to(tree).as_posix()] = file
    return found


def _commit(head: Base, branch: str, files: Mapping[str, Path], message: str) -> None:
    """Commit files on a new branch.

    Raises:
        RepositoryError: There is such a branch with something else in it, or git cannot commit.
    """
    top = head.top
    with tempfile.TemporaryDirectory(prefix="forge-commit-") as scratch:
        index = {"GIT_INDEX_FILE": str(Path(scratch, "index"))}
        git(top, "read-tree", head.commit, env=index)
        for name, file in files.items():
            blob = git(top, "hash-object", "-w", f"--path={name}", "--stdin", data=file.read_bytes())
            mode = "100755" if file.stat().st_mode & stat.S_IXUSR else "100644"
            git(top, "update-index", "--add", "--cacheinfo", f"{mode},{blob},{name}", env=index)
        tree = git(top, "write-tree", env=index)
    try:
        there = git(top, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{tree}}")
    except GitError:
        commit = git(top, "commit-tree", tree, "-p", head.commit, "-F", "-", data=message.encode())
        git(top, "update-ref", f"refs/heads/{branch}", commit, "0" * len(commit))
        return
    if there != tree:
        raise RepositoryError(
            f"there is a branch {branch} already, with something else in it",
            hint=f"merge it, or remove it: git branch -D {branch}",
        )


def _message(outcome: Outcome, followers: Sequence[Outcome]) -> str:
    lines = [f"{outcome.name} {outcome.after}", "", f"From {outcome.before}, by 'forge update'."]
    if followers:
        lines.append(f"What names its version follows: {', '.join(each.name for each in followers)}.")
    if outcome.pins:
        lines.append(f"Build requirements: {', '.join(outcome.pins)}.")
    if outcome.modules is not None:
        lines += [f"Extension modules that are new: {', '.join(outcome.modules.new)}."] if outcome.modules.new else []
        lines += (
            [f"Extension modules that are gone: {', '.join(outcome.modules.gone)}."] if outcome.modules.gone else []
        )
    return "\n".join(lines) + "\n"


def _dirty(head: Base, files: Mapping[str, Path]) -> list[str]:
    """What of a branch's files has changes in the checkout that are not in it."""
    places = sorted({str(Path(name).parent) for name in files})
    listed = git(head.top, "status", "--porcelain", "--", *places)
    return [f"{', '.join(places)}: there are changes that are not committed, and not on the branch"] if listed else []
