"""A patch of what a person changed in a build's source tree, put into the recipe.

The tree is compared with one that is prepared anew, with the patches that the recipe has by now, so that each patch
holds what the ones before it do not. Nothing is written before the patch was applied as a build would apply it, and
gave the person's files.
"""

from __future__ import annotations

import contextlib
import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.atomic import atomic_file, locked
from forge.base.attempts import new_attempt, remove_tree
from forge.base.errors import BuildError, RecipeError, SourceError
from forge.base.manifest import tree_manifest
from forge.base.progress import SilentProgress
from forge.crossbuild.edits import find_edits, looks_made
from forge.crossbuild.kept import read_files, source_identity
from forge.crossbuild.sources import source_of
from forge.recipe.diagnostics import shown_path
from forge.recipe.edit import with_patch
from forge.recipe.evaluate import evaluate
from forge.source.diff import file_diff
from forge.source.fetch import fetch, prepare
from forge.source.patch import apply_patches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.crossbuild.edits import Edits
    from forge.crossbuild.kept import KeptBuild
    from forge.recipe.model import Recipe

DIRECTORY = "patches"
"""Where a recipe's patches are, beside it."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*\.patch")
_OF_DIFFS = re.compile(
    r"---|\+\+\+|\*\*\*|@@|Index:|diff |Binary files |GIT binary |(rename|copy) from |new file mode "
)
"""What begins a line that ``patch``, or forge, takes for a diff's."""

_WIDTH = 120
_NO_REASON = "The reason for this patch is still to be written."


@dataclass(frozen=True)
class PatchWish:
    """What a person wants of a patch.

    Args:
        reason: Why it is needed, for its first lines; empty if it was not said.
        name: The file's name; None makes one.
        add: Paths in the source tree of what is taken only by name: new files, deleted ones, what the build wrote.
    """

    reason: str = ""
    name: str | None = None
    add: tuple[str, ...] = ()


@dataclass(frozen=True)
class MadePatch:
    """A patch that was put into a recipe.

    Args:
        path: The file.
        files: The files of the source that it changes, sorted.
        left_out: What might be a person's too but was not named, sorted.
    """

    path: Path
    files: tuple[str, ...]
    left_out: tuple[str, ...] = field(default=())


def make_patch(recipe: Recipe, kept: KeptBuild, home: ForgeHome, wish: PatchWish, progress: Progress) -> MadePatch:
    """Make a patch of a person's edits of a source tree and add it to the recipe.

    Args:
        recipe: The recipe.
        kept: The build whose tree was edited.
        home: The cache.
        wish: What the patch is to be called, and to have in it.
        progress: Receives progress updates.

    Raises:
        BuildError: Nothing was edited, or the recipe has another source than the tree is of.
        SourceError: A file cannot be in a patch, or is not there; the patch would not apply.
        RecipeError: The name cannot be had, or the recipe is written in a way that a patch cannot be added to.
    """
    path = _path(recipe, wish.name) if wish.name is not None else None
    evaluated = evaluate(recipe, kept.target, kept.python, kept.variants)
    source, patches = source_identity(evaluated)
    if source != kept.source or patches[: len(kept.patches)] != kept.patches:
        what = "source has" if source != kept.source else "patches have"
        raise BuildError(
            f"the recipe's {what} changed since {kept.tree} was unpacked",
            hint=f"make the edits again in a tree of the recipe as it is now: forge shell {kept.name}",
        )
    archive = fetch(source_of(evaluated), home, progress)
    progress.phase(kept.subject, "compare")
    with _scratch(home, f"patch-{kept.work.name}") as scratch:
        before = scratch / kept.tree.name
        prepare(archive, evaluated.patches, before, SilentProgress())
        was = tree_manifest(before)
        edits = find_edits(kept.tree, was, read_files(kept).built)
        files = _chosen(edits, kept.tree, was, wish.add)
        diff = b"".join(file_diff(before / name, kept.tree / name, name) for name in files)
        if not diff:
            raise BuildError(f"nothing was edited in {kept.tree}", hint=_nothing(edits))
        made = scratch / "made.patch"
        made.write_bytes(_header(wish.reason) + diff)
        _verify(made, before, kept.tree, files)
        path = path or _path(recipe, _new_name(recipe, wish.reason, files))
        _store(made.read_bytes(), path, recipe)
    return MadePatch(path, files, tuple(name for name in _unnamed(edits) if name not in files))


@contextlib.contextmanager
def _scratch(home: ForgeHome, name: str) -> Iterator[Path]:
    """A directory for the body, which is removed."""
    with locked(home.locks, name):
        directory = new_attempt(home.work, name)
        try:
            yield directory
        finally:
            remove_tree(directory)


def _chosen(edits: Edits, tree: Path, was: Mapping[str, str], add: Sequence[str]) -> tuple[str, ...]:
    """The files that a patch changes: a person's edits, and what was named."""
    files = set(edits.changed)
    now = tree_manifest(tree)
    for text in add:
        name = _inside(text, tree)
        below = {each for each in now if each.startswith(f"{name}/") and each not in was and not looks_made(each)}
        if name not in now and name not in was and not below:
            raise SourceError(
                f"there is no file {text!r} in the source tree {tree}", hint="name a path relative to that directory"
            )
        files |= below or {name}
    return tuple(sorted(name for name in files if now.get(name) != was.get(name)))


def _inside(text: str, tree: Path) -> str:
    """A path of the tree, relative to it."""
    path = Path(text)
    if path.is_absolute() and path.resolve().is_relative_to(tree.resolve()):
        path = path.resolve().relative_to(tree.resolve())
    if path.is_absolute() or ".." in path.parts or path == Path():
        raise SourceError(f"{text!r} is not a path in the source tree", hint=f"the source tree is {tree}")
    return path.as_posix()


def _unnamed(edits: Edits) -> list[str]:
    return sorted({*edits.added, *edits.deleted, *edits.made})


def _nothing(edits: Edits) -> str:
    unnamed = _unnamed(edits)
    if not unnamed:
        return "change files there, then run the command again"
    shown = ", ".join(unnamed[:10]) + (" …" if len(unnamed) > 10 else "")
    return f"name what is new, deleted or written by the build with --add PATH; there is: {shown}"


def _header(reason: str) -> bytes:
    """The first lines of a patch, which say why it is needed.

    Raises:
        RecipeError: One of them looks like a line of a diff.
    """
    paragraphs = (reason or _NO_REASON).strip().splitlines()
    lines = [line for text in paragraphs for line in (textwrap.wrap(text, _WIDTH) or [""])]
    if wrong := next(filter(_OF_DIFFS.match, lines), None):
        raise RecipeError(f"a line of the reason looks like a diff's: {wrong!r}", hint="begin the line with a word")
    return ("\n".join(lines) + "\n\n").encode()


def _verify(patch: Path, before: Path, after: Path, files: Sequence[str]) -> None:
    """Apply a patch to the tree that it was made from, and compare.

    Raises:
        SourceError: It does not apply, or gives something else.
    """
    apply_patches(before, [patch])
    now, wanted = tree_manifest(before), tree_manifest(after)
    if wrong := [name for name in files if now.get(name) != wanted.get(name)]:
        raise SourceError(
            f"a patch cannot say what was changed in {', '.join(wrong)}",
            hint="undo the change: recipes' patches are plain unified diffs of text files",
        )


def _new_name(recipe: Recipe, reason: str, files: Sequence[str]) -> str:
    """A name as recipes' patches have it: a number, and in a few words what it is about."""
    numbers = [int(found[1]) for file in _patches(recipe) if (found := re.match(r"(\d{4})-", file))]
    words = re.findall(r"[a-z0-9]+", (reason or Path(files[0]).name).lower().replace("'", ""))[:6]
    return f"{max(numbers, default=0) + 1:04}-{'-'.join(words) or 'changes'}.patch"


def _patches(recipe: Recipe) -> list[str]:
    directory = recipe.directory / DIRECTORY
    return sorted(file.name for file in directory.iterdir()) if directory.is_dir() else []


def _path(recipe: Recipe, name: str) -> Path:
    """Where a patch of a name is put.

    Raises:
        RecipeError: The name cannot be had.
    """
    name = name if name.endswith(".patch") else f"{name}.patch"
    if not _NAME.fullmatch(name):
        hint = "use letters, digits and '-', e.g. fix-foo.patch"
        raise RecipeError(f"{name!r} is not the name of a patch", hint=hint)
    path = recipe.directory / DIRECTORY / name
    if name in _patches(recipe):
        raise RecipeError(f"there is a patch {shown_path(path)} already", hint="give another name with --name")
    return path


def _store(content: bytes, path: Path, recipe: Recipe) -> None:
    """Write a patch, and the recipe with it; neither if they do not fit.

    Raises:
        RecipeError: The recipe is written in a way that a patch cannot be added to.
    """
    is_first = not path.parent.is_dir()
    with atomic_file(path) as file:
        file.write(content)
    try:
        changed = with_patch(recipe.file.read_bytes(), recipe.file, f"{DIRECTORY}/{path.name}")
        target = recipe.file.resolve()  # a link to a recipe stays one
        with atomic_file(target, permissions=target.stat().st_mode & 0o777) as file:
            file.write(changed)
    except BaseException:
        path.unlink()
        if is_first:
            path.parent.rmdir()
        raise
