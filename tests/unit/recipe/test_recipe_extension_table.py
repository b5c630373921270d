"""The table of extension modules beside a recipe: what it says, how it is wrong, and that it comes back as written."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge.base.target import select_targets
from forge.recipe.diagnostics import InvalidRecipeError
from forge.recipe.evaluate import evaluate
from forge.recipe.extension_table import MAX_BYTES, MULTIARCHES, Row, parse_table, table_text
from forge.recipe.values import When

from .conftest import GOOD

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from .conftest import LoadRecipe, WriteRecipe

FAULTS: dict[str, bytes] = {
    "no targets": b"demo._a\n",
    "unknown target": b"demo._a  arm64-iphonos,x86_64-iphoneos\n",
    "white space between targets": b"demo._a  arm64-iphoneos, arm64-iphonesimulator\n",
    "not modules": b"demo/_a.so all\ndemo._a.so all\ndemo.class all\n",
    "twice": b"demo._a all\ndemo._b all\ndemo._a none\n",
    "conditions": b"demo._a all python>=4x ios_version<12 variant=slow python 3.14 when=x\n",
    "one condition twice": b"demo._a all python>=3.14 python<3.15\n",
    "not UTF-8": b"demo._a all\ndemo._\xe4 all\n",
    "too large": b"#" * (MAX_BYTES + 1),
    "control characters": b"demo._\x1b[31m all\n",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_message(fault: str, snapshot: SnapshotAssertion) -> None:
    with pytest.raises(InvalidRecipeError) as raised:
        parse_table(FAULTS[fault], "recipes/demo/extension-modules.txt", ["fast"])
    assert str(raised.value) == snapshot


@pytest.mark.parametrize(
    ("also", "what"), [("wheel: {native: false}\n", "native: false"), ("", "backend: script")], ids=["pure", "library"]
)
def test_a_table_that_means_nothing(load: LoadRecipe, also: str, what: str, snapshot: SnapshotAssertion) -> None:
    text = GOOD + also if also else GOOD.replace("setuptools", "script\n  script: ['true']")
    with pytest.raises(InvalidRecipeError, match=what) as raised:
        load(text, files={"extension-modules.txt": "demo._a all\n"})
    assert str(raised.value) == snapshot


def test_errors_of_recipe_and_table_come_together(write: WriteRecipe, load: LoadRecipe) -> None:
    with pytest.raises(InvalidRecipeError) as raised:
        load(GOOD + "colour: red\n", files={"extension-modules.txt": "demo._a\n"})
    files = {problem.where.file for problem in raised.value.diagnostics}
    assert files == {"recipes/demo/recipe.yaml", "recipes/demo/extension-modules.txt"}
    directory = write(GOOD)
    (directory / "extension-modules.txt").unlink()
    (directory / "extension-modules.txt").mkdir()
    with pytest.raises(InvalidRecipeError, match=r"cannot read the table .*: it is a directory"):
        load(GOOD)


def test_no_table_promises_nothing(load: LoadRecipe) -> None:
    assert load(GOOD).extensions == ()


@pytest.mark.parametrize("number", range(8))
def test_any_set_of_targets(load: LoadRecipe, number: int) -> None:
    wanted = {name for bit, name in enumerate(MULTIARCHES) if number >> bit & 1}
    recipe = load(GOOD, files={"extension-modules.txt": f"demo._a {','.join(sorted(wanted)) or 'none'}\n"})
    have = {target.multiarch for target in select_targets() if evaluate(recipe, target, "3.13").extensions}
    assert have == wanted
    assert all(len(evaluate(recipe, target, "3.13").extensions) <= 1 for target in select_targets()), "none twice"


def test_conditions(load: LoadRecipe) -> None:
    table = "demo._a all python>=3.14 variant=fast\ndemo._b arm64-iphoneos ios_version>=16.0\n"
    variants = "variants: {fast: {summary: Another way}}\n"
    recipe = load(GOOD + variants, files={"extension-modules.txt": table})
    device = select_targets()[0]
    assert evaluate(recipe, device, "3.14", ["fast"]).extensions == ("demo._a",)
    assert evaluate(recipe, device, "3.13", ["fast"]).extensions == ()
    assert evaluate(recipe, device, "3.14").extensions == ()


ROWS = st.lists(
    st.builds(
        Row,
        module=st.from_regex(r"_[a-z]{1,8}(\._[a-z]{1,8}){0,3}", fullmatch=True),
        targets=st.lists(st.sampled_from(MULTIARCHES), unique=True).map(
            lambda chosen: tuple(each for each in MULTIARCHES if each in chosen)
        ),
        when=st.builds(
            When,
            python=st.sampled_from([(), (">=3.14",), (">=3.13,<3.15",)]),
            ios_version=st.sampled_from([(), (">=16.0",)]),
            variant=st.sampled_from([(), ("fast",), ("default",)]),
        ),
        comment=st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=20),
    ),
    unique_by=lambda row: (row.module, row.when),
)


@given(ROWS)
def test_what_is_written_is_read(rows: list[Row]) -> None:
    text = table_text(rows, "demo")
    read = parse_table(text.encode(), "x", ["fast"])
    assert sorted(read, key=repr) == sorted((Row(r.module, r.targets, r.when, r.comment) for r in rows), key=repr)
    assert table_text(read, "demo") == text


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(InvalidRecipeError):
        rows = parse_table(content, "x")
        assert set(parse_table(table_text(rows, "demo").encode(), "x")) == set(rows)
