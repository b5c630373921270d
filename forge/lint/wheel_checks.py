"""Rules on what a recipe promises of its wheel, and on how the wheel is tried."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from forge.lint.rules import finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from forge.lint.model import Finding
    from forge.lint.subject import Neighbours, Subject
    from forge.recipe.model import Recipe

_MOST_TEST_BYTES = 1 << 20


def promises(subject: Subject, _neighbours: Neighbours) -> Iterator[Finding]:
    """REC501: a wheel with compiled code of which nothing is said."""
    recipe = subject.recipe
    if recipe is None or recipe.backend.is_for_libraries or not recipe.native:
        return
    if not recipe.extensions and not recipe.libraries:
        where = subject.key("wheel") if ("wheel",) in recipe.places else subject.key("build", "backend")
        message = "the recipe promises no compiled module of the wheel"
        yield finding(
            "nothing-promised",
            where,
            message,
            f"build it, and run 'forge lock {recipe.normalized_name} --wheel dist/*.whl'",
        )


def tests(subject: Subject, _neighbours: Neighbours) -> Iterator[Finding]:
    """REC601 and REC602: whether anything tries the wheel, and its compiled code."""
    recipe = subject.recipe
    if recipe is None or recipe.backend.is_for_libraries:
        return
    trial = recipe.trial
    if not trial.imports and not trial.files and not trial.suite_args:
        hint = "add 'imports: [package.module]' under 'test:'"
        yield finding("no-test", subject.key("package", "name"), "nothing tries the wheel", hint)
    elif recipe.native and not trial.suite_args and not _imports_compiled(recipe) and not _tests_package(recipe):
        message = "no test uses compiled code for certain"
        module = recipe.extensions[0].text if recipe.extensions else ""
        hint = f"add {module} to test.imports" if module else "add a test to test.files"
        yield finding("no-compiled-test", subject.key("test"), message, hint)


def _imports_compiled(recipe: Recipe) -> bool:
    return not {value.text for value in recipe.trial.imports}.isdisjoint(value.text for value in recipe.extensions)


def _tests_package(recipe: Recipe) -> bool:
    """Whether a test file of the recipe's imports a package that has compiled code."""
    packages = {value.text.partition(".")[0] for value in (*recipe.extensions, *recipe.libraries)}
    if not packages or any("*" in name for name in packages):
        return bool(recipe.trial.files)
    return any(_imports_any(recipe.directory / value.text, packages) for value in recipe.trial.files)


def _imports_any(file: Path, packages: set[str]) -> bool:
    """Whether a file imports one of some packages; one that cannot be read is taken to."""
    try:
        with file.open("rb") as opened:
            tree = ast.parse(opened.read(_MOST_TEST_BYTES))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found = {alias.name.partition(".")[0] for alias in names}
            case ast.ImportFrom(module=str(module), level=0):
                found = {module.partition(".")[0]}
            case ast.Call(args=[ast.Constant(value=str(text)), *_]):  # pytest.importorskip, import_module
                found = {text.partition(".")[0]}
            case _:
                continue
        if not packages.isdisjoint(found):
            return True
    return False
