"""A recipe's file to a `Recipe`: read, check everything, report everything at once."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.licenses import canonicalize_license_expression

from forge.base.errors import RecipeError
from forge.recipe.checks import content_problems
from forge.recipe.diagnostics import Diagnostic, InvalidRecipeError, Location, shown_path
from forge.recipe.document import MAX_BYTES, parse_document
from forge.recipe.extension_table import parse_table
from forge.recipe.model import (
    LIBRARY_REQUIRES,
    RECIPE_NAME,
    TABLE_NAME,
    About,
    Backend,
    Disabled,
    GitPin,
    Language,
    PathPin,
    Recipe,
    SdistPin,
    SourcePin,
    Trial,
    UrlPin,
    Variant,
)
from forge.recipe.schema import schema_problems, version_problem
from forge.recipe.values import Value, When

if TYPE_CHECKING:
    from forge.recipe.document import Document
    from forge.recipe.document import Path as DataPath
    from forge.recipe.extension_table import Row


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Args:
        path: Its file, or the directory that holds ``recipe.yaml``.

    Raises:
        RecipeError: There is none, or it cannot be read.
        InvalidRecipeError: It is wrong; says everything that is.
    """
    file = path if path.name == RECIPE_NAME or not path.is_dir() else path / RECIPE_NAME
    return parse_recipe(read_beside(file, "recipe"), Path(os.path.abspath(file)))  # noqa: PTH100 - keeps symbolic links, as given


def read_beside(file: Path, what: str) -> bytes:
    """A file's bytes, and not many more than a recipe may have.

    Only a regular file is opened: a FIFO would never answer, and a device never end.

    Args:
        file: The file.
        what: What it is, for messages: ``recipe``.

    Raises:
        RecipeError: There is none, or it cannot be read.
    """
    try:
        mode = file.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a directory" if stat.S_ISDIR(mode) else "a device, pipe or socket"
            raise RecipeError(
                f"cannot read the {what} {shown_path(file)}: it is {kind}",
                hint=f"a {what} is a regular file, {file.name}",
            )
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise RecipeError(f"there is no {what} {shown_path(file)}") from error
    except OSError as error:
        raise RecipeError(f"cannot read the {what} {shown_path(file)}: {error.strerror}") from error


def parse_recipe(content: bytes, file: Path) -> Recipe:
    """Read a recipe's content as though it stood in *file*; its patches are looked for beside that.

    Args:
        content: YAML, UTF-8.
        file: An absolute path; the directory's name is the package's.

    Raises:
        InvalidRecipeError: It is wrong; says everything that is.
    """
    return recipe_of(parse_document(content, shown_path(file)), file)


def recipe_of(document: Document, file: Path) -> Recipe:
    """The recipe that a document is.

    Args:
        document: The recipe's content.
        file: As for `parse_recipe`.

    Raises:
        InvalidRecipeError: It is wrong; says everything that is.
    """
    if other_version := version_problem(document):  # what another version of the format says is not ours to judge
        raise InvalidRecipeError([*document.problems, other_version])
    problems = [*document.problems, *schema_problems(document)]
    taken = {problem.where for problem in problems}
    problems += [problem for problem in content_problems(document, file) if problem.where not in taken]
    rows: tuple[Row, ...] = ()
    try:
        rows = _table(document, file.parent / TABLE_NAME)
    except InvalidRecipeError as error:
        problems += error.diagnostics
    if problems:
        raise InvalidRecipeError(problems)
    return _Reader(document).recipe(file, rows)


def _table(document: Document, file: Path) -> tuple[Row, ...]:
    """The table of extension modules beside a recipe; nothing if there is none.

    Raises:
        InvalidRecipeError: It is wrong, or means nothing beside what the recipe says.
    """
    shown = shown_path(file)
    try:
        content = read_beside(file, "table")
    except RecipeError as error:
        if not os.path.lexists(file):
            return ()
        raise InvalidRecipeError([Diagnostic(Location(shown, 1), error.message, error.hint)]) from error
    data: Any = document.data if isinstance(document.data, dict) else {}
    variants, wheel, build = (
        data.get(key) if isinstance(data.get(key), dict) else {} for key in ("variants", "wheel", "build")
    )
    backend = str(build.get("backend"))
    reason = f"with 'backend: {backend}', which builds a native library" if backend in LIBRARY_REQUIRES else ""
    reason = "beside 'native: false'" if wheel.get("native") is False else reason
    if reason:
        message = f"a table of extension modules means nothing {reason}"
        raise InvalidRecipeError([Diagnostic(Location(shown, 1), message, "remove the file")])
    return parse_table(content, shown, list(variants))


class _Reader:
    """Makes the recipe's values out of data that the schema has accepted."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def recipe(self, file: Path, rows: tuple[Row, ...]) -> Recipe:
        data: Any = self.document.data
        build = data["build"]
        wheel = data.get("wheel", {})
        requirements = data.get("requirements", {})
        return Recipe(
            file=file,
            name=data["package"]["name"],
            version=data["package"]["version"],
            source=_source(data["source"]),
            backend=Backend(build["backend"]),
            about=_about(data.get("about", {})),
            maintainers=tuple(data.get("maintainers", [])),
            python=data["package"].get("python", ""),
            places=self.document.values,
            patches=self._values(("source", "patches"), data["source"].get("patches", [])),
            requires=self._values(("build", "requires"), build.get("requires", [])),
            config_settings={
                key: self._values(("build", "config_settings", key), value)
                for key, value in build.get("config_settings", {}).items()
            },
            env={key: self._value(("build", "env", key), value) for key, value in build.get("env", {}).items()},
            languages=tuple(Language(name) for name in build.get("languages", [])),
            options=self._values(("build", "options"), build.get("options", [])),
            script=self._values(("build", "script"), build.get("script", [])),
            host=self._values(("requirements", "host"), requirements.get("host", [])),
            run=self._values(("requirements", "run"), requirements.get("run", [])),
            license_files=self._values(("wheel", "license_files"), wheel.get("license_files", [])),
            native=wheel.get("native", True),
            extension_table=rows,
            libraries=self._values(("wheel", "libraries"), wheel.get("libraries", [])),
            trial=self._trial(data.get("test", {})),
            variants=tuple(
                Variant(
                    name, said["summary"], _items(said.get("ios_version", [])), self.document.key_at(("variants", name))
                )
                for name, said in data.get("variants", {}).items()
            ),
            state=self._state(data.get("state")),
        )

    def _state(self, data: Any) -> Disabled | None:
        return Disabled(data["disabled"], data.get("until"), self.document.key_at(("state",))) if data else None

    def _trial(self, test: Any) -> Trial[Value]:
        suite = test.get("suite", {})

        def of(key: str) -> tuple[Value, ...]:
            return self._values(("test", key), test.get(key, []))

        def of_suite(key: str) -> tuple[Value, ...]:
            return self._values(("test", "suite", key), suite.get(key, []))

        return Trial(
            imports=of("imports"),
            requires=of("requires"),
            files=of("files"),
            suite_requires=of_suite("requires"),
            suite_source=of_suite("source"),
            suite_directory=of_suite("directory"),
            suite_args=of_suite("args"),
        )

    def _values(self, path: DataPath, data: Any) -> tuple[Value, ...]:
        if isinstance(data, list):
            return tuple(self._value((*path, number), item) for number, item in enumerate(data))
        return (self._value(path, data),)

    def _value(self, path: DataPath, data: Any) -> Value:
        if isinstance(data, str):
            return Value(data, None, self.document.value_at(path))
        when = When(**{key: _items(value) for key, value in data["when"].items()})
        return Value(data["value"], when, self.document.value_at((*path, "value")))


def _items(data: Any) -> tuple[str, ...]:
    """A string, or a list of them."""
    return tuple(data) if isinstance(data, list) else (data,)


def _about(data: Any) -> About:
    """PEP 639 asks for the canonical spelling of a licence: ``MIT`` for ``mit``."""
    about = About(**data)
    return replace(about, license=canonicalize_license_expression(about.license)) if about.license else about


def _source(data: Any) -> SourcePin:
    if "sdist" in data:
        return SdistPin(data["sdist"]["sha256"], data["sdist"].get("filename"))
    if "url" in data:
        return UrlPin(tuple(data["url"]), data["sha256"])
    if "git" in data:
        return GitPin(data["git"]["url"], data["git"]["revision"])
    return PathPin(data["path"])
