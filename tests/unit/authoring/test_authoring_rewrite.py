"""Values of recipes that are replaced in their text."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from forge.authoring.rewrite import with_values
from forge.base.errors import RecipeError
from forge.recipe.diagnostics import InvalidRecipeError
from forge.recipe.schema import FORMAT
from tests.unit.effort import cases

SHA, OTHER = "ab" * 32, "cd" * 32
TEXT = f"""\
# A comment at the start
schema: {FORMAT}

package: {{name: demo, version: '1.0'}}   # and one behind
source:
  sdist:
    # of the sdist
    sha256: {SHA}
build:
  requires:
    - numpy==2.0     # as the headers
    - {{value: "cython==3.0", when: {{python: ">=3.14"}}}}
  backend: setuptools
"""
FILE = Path("/recipes/demo/recipe.yaml")


def edited(values: dict[tuple[str | int, ...], str], text: str = TEXT) -> str:
    return with_values(text.encode(), FILE, values).decode()


def test_everything_else_stays() -> None:
    made = edited({
        ("package", "version"): "1.1",
        ("source", "sdist", "sha256"): OTHER,
        ("build", "requires", 0): "numpy==2.1",
        ("build", "requires", 1, "value"): "cython==3.1",
    })  # fmt: skip
    expected = TEXT.replace("'1.0'", "'1.1'").replace(SHA, OTHER)
    assert made == expected.replace("numpy==2.0", "numpy==2.1").replace("cython==3.0", "cython==3.1")


@pytest.mark.parametrize(("before", "value", "after"), [
    ("1.0.0", "1.1", '"1.1"'),  # a number without quotes
    ("1.0.0", "1.1.1", "1.1.1"),
    ("'1.0'", "1.1.1", "'1.1.1'"),
    ('"1.0"', "1.1.1", '"1.1.1"'),
    ("1.0.0", "2026.10", '"2026.10"'),
    ("1.0.0", "1e3", '"1e3"'),
])  # fmt: skip
def test_quotes(before: str, value: str, after: str) -> None:
    if value == "1e3":
        with pytest.raises(InvalidRecipeError):  # no version
            edited({("package", "version"): value}, TEXT.replace("'1.0'", before))
        return
    assert edited({("package", "version"): value}, TEXT.replace("'1.0'", before)) == TEXT.replace("'1.0'", after)


def test_line_breaks_and_a_byte_order_mark_stay() -> None:
    text = "\ufeff" + TEXT.replace("\n", "\r\n")
    content = with_values(text.encode(), FILE, {("package", "version"): "1.1"})
    assert content.decode() == text.replace("1.0'", "1.1'")


def test_what_cannot_be_changed_is_told() -> None:
    text = TEXT.replace("numpy==2.0 ", "&n numpy==2.0 ").replace('"cython==3.0"', "*n")
    with pytest.raises(RecipeError, match=r"in a way in which forge cannot change build\.requires\.0") as caught:
        edited({("build", "requires", 0): "numpy==2.1"}, text)
    assert caught.value.hint == "write 'numpy==2.1' there yourself"
    with pytest.raises(RecipeError, match=r"cannot change source\.url"):
        edited({("source", "url"): "x"})


def test_a_wrong_recipe_is_refused() -> None:
    with pytest.raises(InvalidRecipeError):
        edited({("package", "version"): "1.1"}, TEXT.replace("setuptools", "nonsense"))
    with pytest.raises(InvalidRecipeError, match="sha256"):
        edited({("source", "sdist", "sha256"): "x"})


@settings(max_examples=cases(100))
@given(
    value=st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="$"), min_size=1, max_size=30),
    style=st.sampled_from(["x", "'x'", '"x"']),
)
def test_any_string(value: str, style: str) -> None:
    text = TEXT.replace("setuptools\n", f"setuptools\n  env: {{A: {style}, B: y}}  # why\n")
    made = edited({("build", "env", "A"): value}, text)
    assert yaml.safe_load(made)["build"]["env"] == {"A": value, "B": "y"}
    assert made.startswith(text.partition(" {A:")[0])
    assert made.endswith(", B: y}  # why\n")
