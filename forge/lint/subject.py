"""What lint looks at: a recipe's text, data and meaning, and the recipes beside it."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from forge.base.errors import RecipeError
from forge.lint.comments import Comment, comments_of, ends
from forge.recipe.diagnostics import Diagnostic, InvalidRecipeError, Location, shown_path
from forge.recipe.document import MAX_BYTES, parse_document
from forge.recipe.read import recipe_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.utils import NormalizedName

    from forge.recipe.document import Document
    from forge.recipe.document import Path as DataPath
    from forge.recipe.model import Recipe


@dataclass(frozen=True)
class Subject:
    """One recipe.

    Args:
        file: Where it is, absolute.
        content: Its bytes.
        text: Its text, without a byte order mark; empty if it has none.
        document: Its data with positions, or None if it is not YAML.
        recipe: What it says, or None if it is wrong.
        problems: Why it is wrong.
        comments: Its comments.
    """

    file: Path
    content: bytes
    text: str
    document: Document | None
    recipe: Recipe | None
    problems: tuple[Diagnostic, ...]
    comments: tuple[Comment, ...]

    @functools.cached_property
    def starts(self) -> tuple[int, ...]:
        """Where each line begins in the text, from 0."""
        return tuple(ends(self.text))

    @property
    def start(self) -> Location:
        """The first line."""
        lines = self.document.lines if self.document else ("",)
        return Location(shown_path(self.file), 1, 1, max(1, len(lines[0])), lines[0])

    def key(self, *path: str | int) -> Location:
        """Where a key stands, or the nearest thing around it that is there."""
        if self.document is None:
            return self.start
        kept: DataPath = path
        while kept and kept not in self.document.keys:
            kept = kept[:-1]
        return self.document.keys[kept] if kept else self.start

    def index(self, where: Location) -> int:
        """Where a place is in the text, from 0."""
        return self.starts[where.line - 1] + where.column - 1

    def has_comment(self, where: Location) -> bool:
        """Whether a comment stands at a place: in its line, or in the lines right above."""
        lines = {comment.where.line: comment for comment in self.comments}
        above = lines.get(where.line - 1)
        return where.line in lines or (above is not None and above.is_alone)


@dataclass(frozen=True)
class Neighbours:
    """The recipes of a directory, which rules about several of them ask.

    Args:
        recipes: By name; those that can be used.
        has_maintainers: Whether any of them names maintainers.
    """

    recipes: Mapping[NormalizedName, Recipe]
    has_maintainers: bool = False

    @classmethod
    def of(cls, subjects: Mapping[Path, Subject]) -> Neighbours:
        """The recipes among what was read."""
        found = [subject.recipe for subject in subjects.values() if subject.recipe is not None]
        return cls({recipe.normalized_name: recipe for recipe in found}, any(recipe.maintainers for recipe in found))

    def find(self, name: str) -> Recipe | None:
        """The recipe of that name in any spelling."""
        return self.recipes.get(canonicalize_name(name))


def read_subject(file: Path) -> Subject:
    """Read a recipe's file for lint.

    Args:
        file: Its path.

    Raises:
        RecipeError: It cannot be read, or is no regular file.
    """
    absolute = Path(os.path.abspath(file))  # noqa: PTH100 - keeps symbolic links, as given
    if absolute.exists() and not absolute.is_file():
        raise RecipeError(f"cannot read the recipe {shown_path(file)}: it is not a file", hint="a recipe is a file")
    try:
        with absolute.open("rb") as opened:
            return subject_of(opened.read(MAX_BYTES + 1), absolute)
    except OSError as error:
        raise RecipeError(
            f"cannot read the recipe {shown_path(file)}: {error.strerror}", hint="check the file's permissions"
        ) from error


def subject_of(content: bytes, file: Path) -> Subject:
    """Look at a recipe's content as though it stood in *file*.

    Args:
        content: Any bytes.
        file: An absolute path; the directory's name is the package's.
    """
    shown = shown_path(file)
    try:
        document = parse_document(content, shown)
    except InvalidRecipeError as error:
        return Subject(file, content, "", None, None, error.diagnostics, ())
    text = content.decode("utf-8-sig")
    comments = comments_of(text, document.lines, shown)
    try:
        recipe = recipe_of(document, file)
    except InvalidRecipeError as error:
        return Subject(file, content, text, document, None, error.diagnostics, comments)
    return Subject(file, content, text, document, recipe, (), comments)
