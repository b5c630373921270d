"""Recipes of version 1 of the format become such of version 2; comments and order stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge.authoring.migrate import migrate_recipe, migrated
from forge.base.errors import RecipeError
from forge.recipe.document import parse_document
from forge.recipe.read import read_recipe

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from tests.unit.cli.runner import Forge

START = "# A recipe\nschema: 1 # of the format\n\npackage: {name: demo, version: '1.0'}\nsource: {path: .}\n"
BUILD = "\nbuild:\n  backend: setuptools # the usual\n"
TEST = "\ntest:\n  imports: [demo]\n"
VARIANTS = "variants: {fast: {summary: Another way}}\n"

WAYS = {
    "a list": "\nwheel:\n  extensions:\n    - demo._a\n    - demo._b\n",
    "a list that is not indented": "\nwheel:\n  extensions:\n  - demo._a\n  - demo._b\n",
    "brackets": "\nwheel:\n  extensions: [demo._a, demo._b]\n",
    "brackets in lines": "\nwheel:\n  extensions: [\n    demo._a,\n    demo._b,\n  ]\n",
    "braces": "\nwheel: {extensions: [demo._a, demo._b]}\n",
    "braces with more": "\nwheel: {libraries: [demo.c], extensions: [demo._a, demo._b]}\n",
    "braces with more after": "\nwheel: {extensions: [demo._a, demo._b], libraries: [demo.c]}\n",
    "more before": "\nwheel:\n  libraries: [demo.c]  # opened by path\n  extensions: [demo._a, demo._b]\n",
    "more after": "\nwheel:\n  extensions:\n    - demo._a\n    - demo._b\n  # Opened by path.\n  libraries: [demo.c]\n",
    "comments": "\nwheel:\n  # All of them.\n  extensions:\n    - demo._a  # fast\n    # Slow.\n    - demo._b\n",
    "conditions": "\nwheel:\n  extensions:\n    - {value: demo._a, when: {arch: arm64}}\n"
    "    - {value: demo._b, when: {abi: [iphonesimulator], python: '>=3.14', variant: fast}}\n",
    "quotes": "\nwheel:\n  extensions: ['demo._a', \"demo._b\"]\n",
    "none": "",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("last", [False, True], ids=["inside", "at the end"])
def test_migrated(way: str, last: bool, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    parts = (BUILD, TEST, WAYS[way]) if last else (BUILD, WAYS[way], TEST)
    directory = tmp_path / "demo"
    directory.mkdir()
    file = directory / "recipe.yaml"
    file.write_text(START + VARIANTS + "".join(parts))
    done = migrate_recipe(file)
    assert done is not None
    assert [line.rpartition("recipe.yaml")[2] for line in done.dropped] == snapshot(name="dropped")
    assert file.read_text() == snapshot(name="recipe")
    assert done.table == snapshot(name="table")
    recipe = read_recipe(file)
    assert [row.module for row in recipe.extension_table] == ([] if way == "none" else ["demo._a", "demo._b"])
    assert migrate_recipe(file) is None, "once is enough"


def test_line_ends_and_byte_order_mark_stay(tmp_path: Path) -> None:
    text = (START + BUILD + WAYS["a list"] + TEST).replace("\n", "\r\n")
    done = migrated(b"\xef\xbb\xbf" + text.encode(), tmp_path / "demo" / "recipe.yaml")
    assert done is not None
    expected = (START + BUILD + TEST).replace("schema: 1", "schema: 2").replace("\n", "\r\n")
    assert done.content == b"\xef\xbb\xbf" + expected.encode()


@pytest.mark.parametrize(
    "text",
    [
        "schema: 0\n", "schema: 'one'\n", "package: x\n", "schema: 3\n", "[]\n", "schema: true\n",
        START + "wheel: {extensions: demo._a}\n", START + "wheel: {extensions: ['${name}._a']}\n",
        START + "wheel: {extensions: &a [demo._a], libraries: [b.c]}\ny: *a\n",
    ],
)  # fmt: skip
def test_what_cannot_be_migrated(text: str, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    with pytest.raises(RecipeError) as raised:
        migrated(text.encode(), tmp_path / "demo" / "recipe.yaml")
    assert f"{raised.value}\n{raised.value.hint}".replace(str(tmp_path), "") == snapshot


def test_another_table_is_not_lost(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    directory.mkdir()
    (directory / "recipe.yaml").write_text(START + BUILD + WAYS["a list"])
    (directory / "extension-modules.txt").write_text("demo._c all\n")
    with pytest.raises(RecipeError, match=r"there is a table .* already"):
        migrate_recipe(directory / "recipe.yaml")
    assert (directory / "recipe.yaml").read_text() == START + BUILD + WAYS["a list"]
    assert (directory / "extension-modules.txt").read_text() == "demo._c all\n"


PIECES = st.sampled_from([BUILD, TEST, VARIANTS, "\n", "# A comment\n", "about: {license: MIT}\n", "x:\n  - a: b\n"])


@given(st.lists(PIECES, unique=True), st.sampled_from([way for way in WAYS if way != "conditions"]), st.integers(0, 7))
def test_everything_else_stays(pieces: list[str], way: str, at: int) -> None:
    parts = [*pieces[:at], WAYS[way], *pieces[at:]]
    content = (START + "".join(parts)).encode()
    from pathlib import Path  # noqa: PLC0415 - a name is all that is needed of it here

    done = migrated(content, Path("/x/demo/recipe.yaml"))
    assert done is not None
    assert set(done.content.decode().splitlines()) >= {
        line for piece in pieces for line in piece.splitlines() if line.strip()
    }
    data = parse_document(content, "x").data
    assert isinstance(data, dict)
    kept = {key: value for key, value in data.items() if key not in ("schema", "wheel")}
    after = parse_document(done.content, "x").data
    assert isinstance(after, dict)
    assert {key: value for key, value in after.items() if key not in ("schema", "wheel")} == kept


class TestCommand:
    def test_all(self, forge: Forge, snapshot: SnapshotAssertion) -> None:
        for name, text in (
            ("old", START.replace("demo", "old") + BUILD + WAYS["comments"]),
            ("new", START.replace("demo", "new").replace("schema: 1", "schema: 2") + BUILD),
            ("odd", "schema: 7\n"),
        ):
            directory = forge.root / "recipes" / name
            directory.mkdir(parents=True)
            (directory / "recipe.yaml").write_text(text)
        said = forge("migrate")
        assert (said.code, said.out, said.err) == snapshot
        assert forge("migrate", "new").out == "recipes/new/recipe.yaml: nothing to do\n"
