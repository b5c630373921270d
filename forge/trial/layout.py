"""Laying out what a trial runs: the recipe's tests, a project's own suite, or imports of all that a wheel has."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from forge.audit.modules import extension_modules
from forge.base.errors import TrialError
from forge.base.progress import SilentProgress
from forge.crossbuild.sources import source_of
from forge.source.fetch import fetch, prepare
from forge.wheel.contents import WheelContents

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forge.base.target import Target
    from forge.crossbuild.context import BuildContext
    from forge.recipe.model import EvaluatedRecipe
    from forge.trial.options import TrialOptions

_IMPORTS = '''\
"""Made by forge test: what must import, does; what is promised as an extension module, is one."""

import importlib
import importlib.machinery
import importlib.util
import sys

import pytest


@pytest.mark.parametrize("name", {imports!r})
def test_import(name):
    importlib.import_module(name)


@pytest.mark.parametrize("name", {extensions!r})
def test_extension(name):
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name in {absent!r}:
            pytest.skip(f"it needs {{error.name}}, which iOS's Python does not have")
        raise
    except ImportError:
        # cv2 loads its module cv2.cv2 itself, as cv2, and it can be loaded once.
        module = loaded_by_package(name)
        if module is None:
            raise
    assert isinstance(module.__spec__.loader, importlib.machinery.ExtensionFileLoader), module.__spec__


def loaded_by_package(name):
    """The module that a package has made of an extension module's file under another name."""
    package = sys.modules.get(name.rpartition(".")[0])
    if package is None:
        return None
    file = importlib.util.find_spec(name).origin
    if file.endswith(".fwork"):  # the place of a framework's binary in the app
        with open(file, encoding="utf-8") as opened:
            file = opened.read().strip()
    for module in (*sys.modules.values(), *vars(package).values()):
        spec = getattr(module, "__spec__", None)
        if spec is not None and spec.name != name and (spec.origin or "").endswith(file):
            return module
    return None
'''

_CONFIGURATIONS = ("pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
"""Files that pytest takes its configuration from (its documentation, "Configuration")."""

_ABSENT_PACKAGES = ("curses", "tkinter")
"""Packages of the standard library that import none of their extension modules on iOS (PEP 730, "Standard library")."""


def lay_out(
    tried: EvaluatedRecipe | WheelContents,
    target: Target,
    context: BuildContext,
    options: TrialOptions,
    run: Path,
    work: Path,
    *,
    rootdir: str,
) -> list[str]:
    """Put the tests that are to run into a directory.

    Args:
        tried: The recipe, or a wheel without one.
        target: What it is for.
        context: Cache and Pythons.
        options: What to run.
        run: The directory.
        work: Another one, for sources.
        rootdir: What pytest is to take for the project's directory.

    Returns:
        pytest's arguments.

    Raises:
        TrialError: The recipe names a part of the source that is not there.
        SourceError, NetworkError: The source is not available.
    """
    absent = (*context.python.absent_modules(target), *_ABSENT_PACKAGES)
    if options.tests:
        chosen = list(_lay_out_named(options.tests, run))
    elif isinstance(tried, WheelContents):
        extensions = tuple(extension.module for extension in extension_modules(tried))
        chosen = list(_lay_out_tests(_top_level(tried), extensions, (), absent, run))
    elif options.suite:
        _lay_out_suite(tried, context, run, work)
        chosen = list(tried.trial.suite_args)
    else:
        chosen = list(_lay_out_tests(tried.trial.imports, tried.extensions, tried.trial.files, absent, run))
    # A file that cannot be collected is an error of its own; the others are run.
    common = ["-p", "no:cacheprovider", "--continue-on-collection-errors", f"--rootdir={rootdir}"]
    return [*common, *chosen, *options.pytest_args]


def _lay_out_named(tests: Sequence[Path], run: Path) -> Iterator[str]:
    """Copy the tests that are named, and pytest's configuration, into a directory; pytest's arguments for them."""
    for path in tests:
        # A copy: some suites write beside their files, and what is named is the user's.
        if path.is_dir():
            shutil.copytree(path, run / path.name, symlinks=True)
        else:
            shutil.copy(path, run)
    _configure(run)
    yield from (path.name for path in tests if path.name not in _CONFIGURATIONS)


def _lay_out_tests(
    imports: Sequence[str], extensions: Sequence[str], files: Sequence[str | Path], absent: Sequence[str], run: Path
) -> Iterator[str]:
    """Write tests of imports into a directory, and copy files of tests there; pytest's arguments for them."""
    _configure(run)
    (run / "test_forge_imports.py").write_text(
        _IMPORTS.format(imports=list(imports), extensions=list(extensions), absent=list(absent)), encoding="utf-8"
    )
    yield "test_forge_imports.py"
    for file in files:
        shutil.copy(file, run)
        yield Path(file).name


def _lay_out_suite(recipe: EvaluatedRecipe, context: BuildContext, run: Path, work: Path) -> None:
    """Put the parts of the source tree that the suite is in into a directory."""
    if recipe.trial.suite_source:
        archive = fetch(source_of(recipe), context.home, SilentProgress())
        prepare(archive, recipe.patches, work / "source", SilentProgress())
    suite = work / "suite"
    suite.mkdir()
    for name in recipe.trial.suite_source:
        source = work / "source" / name
        if not source.exists():
            raise TrialError(f"{recipe.name}: test.suite.source lists {name}, which is not in the source")
        (suite / name).parent.mkdir(parents=True, exist_ok=True)
        source.rename(suite / name)
    directory = "".join(recipe.trial.suite_directory)
    top = suite / directory
    if not top.is_dir():
        raise TrialError(f"{recipe.name}: test.suite.directory names {directory}, which test.suite.source lacks")
    for path in top.iterdir():
        path.rename(run / path.name)
    _configure(run)


def _configure(run: Path) -> None:
    """See to it that pytest looks for no configuration outside of the directory."""
    if not any((run / name).is_file() for name in _CONFIGURATIONS):
        (run / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")


def _top_level(contents: WheelContents) -> tuple[str, ...]:
    """The packages and modules at a wheel's top, without those of a leading underscore's."""
    names: dict[str, None] = {}
    for member in contents.members:
        first, slash, rest = member.path.partition("/")
        name = first if slash else first.partition(".")[0]
        is_module = rest == "__init__.py" if slash else first.endswith((".py", ".so"))
        if is_module and name.isidentifier() and not name.startswith("_"):
            names[name] = None
    return tuple(names)
