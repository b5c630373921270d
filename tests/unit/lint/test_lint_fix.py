"""Mending: comments stay, the result is a recipe, and mending it again changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.lint.fix import fix_recipes, fixed
from forge.lint.rules import all_rules
from forge.lint.subject import Neighbours, subject_of
from forge.recipe.store import RecipeStore
from tests.unit.lint.conftest import CLEAN, LIBRARY, SHA, changed, said

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from tests.unit.lint.conftest import Lint

MIXED = f"""\
# A package to mend.

# The format.
schema: 2

# Where it is from.
source:
  # As the index has it.
  sdist: {{sha256: {SHA}, filename: demo-1.2.3.tar.gz}}  # whole

# Which one.
package:
  version: 1.2.3  # the newest
  # Its name.
  name: demo


about: {{homepage: https://example.org, license: 'mit', summary: "What it is."}}

build:
  # Before the back end.
  env:
    # One.
    A: "1"
  backend: setuptools
wheel:
  libraries: [demo._speed]  # forge: ignore[REC501] not needed any more
# forge: ignore[REC601] nor this
test:
  imports: [demo._speed]
# The end.
"""


def test_everything_at_once(lint: Lint, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    lint(MIXED)
    store = RecipeStore(tmp_path / "recipes")
    mended = fix_recipes(store, ())
    file = tmp_path / "recipes" / "demo" / "recipe.yaml"
    text = file.read_text()
    assert text == snapshot
    assert {found.rule.id for found in mended} == {rule.id for rule in all_rules() if rule.fixable}
    assert said(lint(text)) == []
    assert fix_recipes(store, ()) == ()
    assert file.read_text() == text


def test_comments_stay(lint: Lint) -> None:
    lint(MIXED)
    content, _ = fixed(subject_of(MIXED.encode(), Path.cwd() / "recipes/demo/recipe.yaml"), Neighbours({}))
    kept = [line.strip() for line in MIXED.splitlines() if line.strip().startswith("#") and "ignore" not in line]
    assert all(line in content.decode() for line in [*kept, "# whole", "# the newest"])


@pytest.mark.parametrize("line_break", ["\r\n", "\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_breaks_and_byte_order_marks_stay(lint: Lint, tmp_path: Path, line_break: str, mark: str) -> None:
    lint(MIXED, files={"demo/recipe.yaml": mark + MIXED.replace("\n", line_break)})
    file = tmp_path / "recipes" / "demo" / "recipe.yaml"
    file.chmod(0o640)
    fix_recipes(RecipeStore(tmp_path / "recipes"), ["demo"])
    text = file.read_bytes().decode()
    assert text.startswith(f"{mark}# yaml-language-server")
    assert text.count("\n") == text.count(line_break)
    assert file.stat().st_mode & 0o777 == 0o640


def test_only_the_rules_that_were_selected(lint: Lint, tmp_path: Path) -> None:
    text = changed(("license: MIT", "license: mit"), ("A demonstration", "A demonstration."))
    lint(text)
    fix_recipes(RecipeStore(tmp_path / "recipes"), (), frozenset({"REC203"}))
    assert (tmp_path / "recipes/demo/recipe.yaml").read_text() == text.replace("tion.", "tion")


@pytest.mark.parametrize(
    "text",
    [
        CLEAN,
        CLEAN.replace("schema: 2", "schema: 3"),
        CLEAN.replace("summary: A demonstration", "summary: [A"),
        CLEAN.replace("package:\n  name: demo\n  version: 1.2.3\n", "package: {version: 1.2.3, name: demo}\n"),
    ],
)
def test_what_is_clean_or_wrong_or_has_no_lines_of_its_own_stays(lint: Lint, tmp_path: Path, text: str) -> None:
    lint(CLEAN, files={"demo/recipe.yaml": text})
    assert fix_recipes(RecipeStore(tmp_path / "recipes"), ()) == ()
    assert (tmp_path / "recipes/demo/recipe.yaml").read_text() == text


def test_literal_versions(lint: Lint, tmp_path: Path) -> None:
    lint(changed(("libdemo-${version}.tar.gz", "v2.0.1/libdemo-2.0.1.tar.gz"), of=LIBRARY))
    fix_recipes(RecipeStore(tmp_path / "recipes"), ())
    assert "org/v${version}/libdemo-${version}.tar.gz" in (tmp_path / "recipes/libdemo/recipe.yaml").read_text()


def test_keys_of_the_last_section_without_a_line_break(lint: Lint, tmp_path: Path) -> None:
    head = CLEAN[: CLEAN.index("test:")]
    lint(CLEAN, files={"demo/recipe.yaml": f"{head}test:\n  requires: [x]\n  # It.\n  imports: [demo._speed]"})
    fix_recipes(RecipeStore(tmp_path / "recipes"), ())
    text = (tmp_path / "recipes/demo/recipe.yaml").read_text()
    assert text == f"{head}test:\n  # It.\n  imports: [demo._speed]\n  requires: [x]"


def test_without_a_schema_beside_the_recipes_no_line_can_be_added(lint: Lint, tmp_path: Path) -> None:
    report = lint(CLEAN.partition("\n")[2])
    assert [found.fix is None for found in report.findings] == [False]
    (tmp_path / "schemas" / "recipe.schema.json").unlink()
    report = lint(CLEAN.partition("\n")[2])
    assert [(found.rule.id, found.fix) for found in report.findings] == [("REC101", None)]
    assert "forge schema >schemas/recipe.schema.json" in str(report.findings[0].hint)


def test_a_comment_that_another_recipe_makes_necessary_stays(lint: Lint, tmp_path: Path) -> None:
    host = "\nrequirements:\n  host:\n    - libdemo  # forge: ignore[REC207] public domain\n\ntest:\n"
    library = changed(("\nwheel:\n  license_files: [LICENSE]\n", ""), of=LIBRARY)
    assert [found.rule.id for found in lint(changed(("\ntest:\n", host)), library).findings] == ["REC206"]
    assert fix_recipes(RecipeStore(tmp_path / "recipes"), ()) == ()
