"""Where the files of a project's own suite are when pytest runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.base.errors import TrialError
from forge.recipe.evaluate import evaluate
from forge.recipe.read import read_recipe
from forge.trial.layout import lay_out
from forge.trial.options import TrialOptions
from tests.unit.crossbuild.fakes import RECIPE, make_context, write_recipe
from tests.unit.ios_python.fakes import DEVICE

if TYPE_CHECKING:
    from pathlib import Path


def laid_out(tmp_path: Path, suite: str) -> tuple[set[str], list[str]]:
    """The files, and what pytest is called with, for a source with tests, their data and documents."""
    recipe = write_recipe(tmp_path / "recipes", text=f"{RECIPE}test: {{suite: {suite}}}\n")
    for name in ("Tests/test_a.py", "Tests/data/a.txt", "Doc/a.rst"):
        file = recipe / "source" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    tried = evaluate(read_recipe(recipe), DEVICE, "3.13")
    run, work = tmp_path / "run", tmp_path / "work"
    for directory in (run, work):
        directory.mkdir()
    context, options = make_context(tmp_path), TrialOptions(suite=True)
    arguments = lay_out(tried, DEVICE, context, options, run, work, rootdir=str(run))
    files = {file.relative_to(run).as_posix() for file in run.rglob("*") if file.is_file()}
    return files, arguments[arguments.index(f"--rootdir={run}") + 1 :]


def test_parts_of_the_source_are_where_they_were(tmp_path: Path) -> None:
    files, arguments = laid_out(tmp_path, "{source: [Tests/test_a.py, Doc], args: [Tests]}")
    assert files == {"Tests/test_a.py", "Doc/a.rst", "pytest.ini"}
    assert arguments == ["Tests"]


def test_a_suite_that_runs_in_a_directory_of_its_own(tmp_path: Path) -> None:
    """As Biopython's does, whose tests open their data by relative paths."""
    files, arguments = laid_out(tmp_path, "{source: [Tests], directory: Tests, args: [test_a.py]}")
    assert files == {"test_a.py", "data/a.txt", "pytest.ini"}
    assert arguments == ["test_a.py"]


@pytest.mark.parametrize("key", ["source: [Test], args: [Test]", "source: [Tests], directory: Doc, args: [a]"])
def test_what_is_not_there(tmp_path: Path, key: str) -> None:
    with pytest.raises(TrialError, match=r"demo: test\.suite\.(source lists Test|directory names Doc), which"):
        laid_out(tmp_path, f"{{{key}}}")
