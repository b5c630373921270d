"""Results of suites beside recipes, and marks of tests that passed."""

from __future__ import annotations

import dataclasses
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forge.base.errors import RecipeError, TrialError
from forge.base.paths import ForgeHome
from forge.emulate.session import Outcome
from forge.recipe.evaluate import evaluate
from forge.recipe.read import read_recipe
from forge.recipe.store import RecipeStore
from forge.trial import docs
from forge.trial.comparison import Comparison, Difference
from forge.trial.options import TrialOptions
from forge.trial.passed import has_passed, mark_passed, trial_key
from forge.trial.report import Trial
from forge.trial.suite_results import FILE, Named, SuiteResult, explained, read_results, record, result_of
from tests.unit.crossbuild.fakes import RECIPE, make_context, write_recipe
from tests.unit.ios_python.fakes import DEVICE

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

TARGET = "x86_64-iphonesimulator"
RESULT = SuiteResult("3.13", TARGET, "1.0", "ab" * 32, "2026-11-30", True, 10, 8, (
    Named("t.py::a", "failed"), Named("t.py::b[1]", "skipped"),
))  # fmt: skip


def keep(recipe: Path, result: SuiteResult) -> None:
    record(recipe, result, recipe.parent / "locks")


def trial(*differences: Difference, passed: int = 10, both: int = 9) -> Trial:
    compared = Comparison(("x.whl",), passed, both, 0, differences, 1.0)
    outcome = Outcome((), (), (), 1.0, 0, Path("log"))
    return Trial("demo 1.0", ("demo.whl",), outcome, comparison=compared, python="3.13", sha256="cd" * 32)


def test_what_is_kept_of_a_trial() -> None:
    found = result_of(
        trial(
            Difference("t.py::z", "failed", "passed", "AssertionError"),
            Difference("t.py::a", "absent", "passed"),
            Difference("t.py::better", "passed", "failed"),  # the Linux wheel's affair
        ),
        "1.0", TARGET, "2026-11-30", as_host=False,
    )  # fmt: skip
    assert found == SuiteResult(
        "3.13", TARGET, "1.0", "cd" * 32, "2026-11-30", False, 10, 9,
        (Named("t.py::a", "absent"), Named("t.py::z", "failed")),
    )  # fmt: skip
    with pytest.raises(TrialError, match="no test of the suite passes with the Linux wheel"):
        result_of(trial(passed=0, both=0), "1.0", TARGET, "2026-11-30", as_host=False)
    with pytest.raises(ValueError, match="was not compared"):
        result_of(dataclasses.replace(trial(), comparison=None), "1.0", TARGET, "2026-11-30", as_host=False)


def test_a_skipped_test_does_not_count_against_the_wheel() -> None:
    assert (RESULT.skipped, RESULT.ratio) == (1, 8 / 9)
    assert dataclasses.replace(RESULT, host_passed=0, passed=0, differences=()).ratio == 1.0


def test_the_file(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    keep(tmp_path, RESULT)
    keep(tmp_path, dataclasses.replace(RESULT, python="3.9", differences=(), passed=10))
    assert (tmp_path / FILE).read_text() == snapshot
    assert [one.python for one in read_results(tmp_path)] == ["3.9", "3.13"]


def test_why_a_test_differs_is_kept_as_long_as_it_does(tmp_path: Path) -> None:
    assert explained(tmp_path) == frozenset()
    keep(tmp_path, RESULT)
    assert explained(tmp_path) == frozenset()
    file = tmp_path / FILE
    file.write_text(file.read_text().replace("here: failed", "here: failed\n    why: no files in an app"))
    told = Named("t.py::a", "failed", "no files in an app")
    keep(tmp_path, RESULT)
    assert read_results(tmp_path)[0].differences[0] == told
    assert explained(tmp_path) == {"t.py::a"}
    keep(tmp_path, dataclasses.replace(RESULT, python="3.14"))  # what is so on one Python is so on the next
    assert read_results(tmp_path)[1].differences[0] == told
    keep(tmp_path, dataclasses.replace(RESULT, differences=(Named("t.py::a", "crashed"),)))
    assert read_results(tmp_path)[0].differences == (dataclasses.replace(told, here="crashed"),)
    keep(tmp_path, dataclasses.replace(RESULT, differences=()))
    assert read_results(tmp_path)[0].differences == ()


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)
NAMED = st.builds(Named, NAMES, st.sampled_from(["failed", "skipped", "absent"]), NAMES | st.just(""))


@settings(deadline=None)
@given(st.lists(NAMED, unique_by=lambda one: one.test, max_size=5), st.sampled_from(["3.13", "3.2", "3.10"]))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, differences: list[Named], python: str
) -> None:
    directory = tmp_path_factory.mktemp("recipe")
    result = dataclasses.replace(RESULT, python=python, differences=tuple(differences))
    keep(directory, result)
    assert read_results(directory) == (result,)


@pytest.mark.parametrize(
    "text",
    ["{", "a: b", "- 3", "- {python: '3.13'}", "- {python: 3.13, target: x}", "\xff", "- [1]", "3"],
)
def test_a_file_that_is_none(tmp_path: Path, text: str, snapshot: SnapshotAssertion) -> None:
    (tmp_path / FILE).write_bytes(text.encode("latin-1"))
    with pytest.raises(RecipeError) as caught:
        read_results(tmp_path)
    assert f"{caught.value}\n{caught.value.hint}".replace(str(tmp_path), "TMP") == snapshot
    with pytest.raises(RecipeError):
        keep(tmp_path, RESULT)
    assert (tmp_path / FILE).read_bytes() == text.encode("latin-1")


@pytest.mark.parametrize("field", ["why: 5", "why: [x]", "test: 7"])
def test_a_reason_that_is_no_text(tmp_path: Path, field: str) -> None:
    keep(tmp_path, RESULT)
    file = tmp_path / FILE
    old = "here: failed" if field.startswith("why") else "test: t.py::a"
    file.write_text(file.read_text().replace(old, f"{old}\n    {field}" if field.startswith("why") else field))
    with pytest.raises(RecipeError, match="in quotes where they look like numbers"):
        read_results(tmp_path)


def test_results_recorded_at_once_are_all_kept(tmp_path: Path) -> None:
    results = [dataclasses.replace(RESULT, python=f"3.{minor}") for minor in range(13, 21)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda result: keep(tmp_path / "x", result), results))
    assert len(read_results(tmp_path / "x")) == 8


def test_numbers_where_texts_belong(tmp_path: Path) -> None:
    keep(tmp_path, RESULT)
    file = tmp_path / FILE
    file.write_text(file.read_text().replace("'1.0'", "1.0"))
    with pytest.raises(RecipeError, match="in quotes where they look like numbers"):
        read_results(tmp_path)


class TestPassed:
    def test_marks(self, tmp_path: Path) -> None:
        home = ForgeHome(tmp_path / "home")
        assert not has_passed(home, "a")
        mark_passed(home, "a")
        assert has_passed(home, "a")
        assert not has_passed(home, "b")

    def test_marks_of_no_use_are_removed(self, tmp_path: Path) -> None:
        home = ForgeHome(tmp_path / "home")
        mark_passed(home, "old")
        mark_passed(home, "used")
        for path in home.root.rglob("*"):
            if path.is_file():
                os.utime(path, (0, time.time() - 100 * 24 * 3600))
        assert has_passed(home, "used")
        mark_passed(home, "new")
        assert [has_passed(home, name) for name in ("old", "used", "new")] == [False, True, True]

    def test_what_a_trial_is_known_by(self, tmp_path: Path) -> None:
        text = RECIPE + "test: {files: [tests/test_x.py]}\n"
        directory = write_recipe(tmp_path / "recipes", text=text)
        (directory / "tests").mkdir()
        (directory / "tests" / "test_x.py").write_text("def test(): pass\n")
        recipe, context = evaluate(read_recipe(directory), DEVICE, "3.13"), make_context(tmp_path)
        wheel = tmp_path / "demo.whl"
        wheel.write_bytes(b"1")

        def key(options: TrialOptions | None = None) -> str:
            return trial_key(recipe, [wheel], context, options or TrialOptions())

        first = key()
        assert key() == first
        assert key(TrialOptions(find_links=(tmp_path,))) == first
        assert key(TrialOptions(suite=True)) != first
        wheel.write_bytes(b"2")
        second = key()
        assert second != first
        (directory / "tests" / "test_x.py").write_text("def test(): assert 1\n")
        third = key()
        assert third not in (first, second)
        (directory / "source" / "tests.py").write_text("the suite is in the source\n")
        assert key() not in (first, second, third)


def test_the_page(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    recipes = tmp_path / "recipes"
    recipes.mkdir()
    tests = {
        "one": "test: {imports: [one], suite: {args: [t]}}\n",
        "two": "test: {files: [tests/t.py]}\n",
        "three": "",
    }
    for name, test in tests.items():
        made = write_recipe(tmp_path / f"making-{name}", text=RECIPE.replace("demo", name) + test)
        (made / "tests").mkdir()
        (made / "tests" / "t.py").touch()
        made.rename(recipes / name)
    named = tuple(Named(f"t.py::n{number}", "failed", "iOS has no subprocesses.") for number in range(8))
    keep(recipes / "one", dataclasses.replace(RESULT, host_passed=123_456, passed=123_448, differences=named))
    keep(recipes / "one", dataclasses.replace(RESULT, python="3.14", differences=(), host_passed=9, passed=9))
    keep(recipes / "two", dataclasses.replace(RESULT, as_host=not RESULT.as_host))
    assert docs.render(RecipeStore(recipes)) == snapshot


def test_the_page_in_docs_is_of_this_form() -> None:
    """Its rows are made anew from time to time: a pull request with a recipe need not touch them."""
    root = Path(__file__).parents[3]
    page = (root / "docs" / "suite-results.md").read_text(encoding="utf-8")
    made = docs.render(RecipeStore(root / "recipes"))
    fixed = [line for line in made.splitlines() if not line.startswith(("|", "- ", "**"))]
    assert fixed[:8] == [line for line in page.splitlines() if not line.startswith(("|", "- ", "**"))][:8], (
        "run: python -m forge.trial.docs > docs/suite-results.md"
    )
