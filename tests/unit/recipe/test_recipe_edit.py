"""A patch added to a recipe: the rest of its text stays, byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.base.errors import RecipeError
from forge.recipe.diagnostics import InvalidRecipeError
from forge.recipe.edit import with_patch
from forge.recipe.read import parse_recipe

if TYPE_CHECKING:
    from pathlib import Path

NEW = "patches/0002-new.patch"
START = "# A recipe\nschema: 2\npackage: {name: demo, version: '1.0'}\n"
END = "\n# How it is built\nbuild:\n  backend: setuptools # the usual\nwheel:\n  libraries: [demo._x]\n"
OLD = "patches/0001-old.patch"

WAYS = {
    "no patches": ("source:\n  path: source # here\n", "source:\n  path: source # here\n  patches:\n    - NEW\n"),
    "deeper": ("source:\n    path: source\n", "source:\n    path: source\n    patches:\n      - NEW\n"),
    "nested": (
        "source:\n  sdist:\n    sha256: " + "ab" * 32 + "\n    # of the index\n",
        "source:\n  sdist:\n    sha256: " + "ab" * 32 + "\n  patches:\n    - NEW\n    # of the index\n",
    ),
    "in braces": ("source: {path: source}\n", "source: {path: source, patches: [NEW]}\n"),
    "a list": (
        "source:\n  path: source\n  patches:\n    # why\n    - OLD # this\n",
        "source:\n  path: source\n  patches:\n    # why\n    - OLD # this\n    - NEW\n",
    ),
    "a list that is not indented": (
        "source:\n  patches:\n  - OLD\n  path: source\n",
        "source:\n  patches:\n  - OLD\n  - NEW\n  path: source\n",
    ),
    "a condition": (
        "source:\n  path: source\n  patches:\n    - {value: OLD, when: {arch: arm64}}\n",
        "source:\n  path: source\n  patches:\n    - {value: OLD, when: {arch: arm64}}\n    - NEW\n",
    ),
    "a condition in lines": (
        "source:\n  path: source\n  patches:\n    - value: OLD\n      when:\n        arch:\n          - x86_64\n",
        "source:\n  path: source\n  patches:\n    - value: OLD\n      when:\n        arch:\n          - x86_64\n"
        "    - NEW\n",
    ),
    "brackets": (
        "source:\n  path: source\n  patches: [OLD] # all\n", "source:\n  path: source\n  patches: [OLD, NEW] # all\n",
    ),
    "brackets in lines": (
        "source:\n  path: source\n  patches: [\n    OLD, # why\n  ]\n",
        "source:\n  path: source\n  patches: [\n    OLD, NEW, # why\n  ]\n",
    ),
    "empty brackets": ("source: {path: source, patches: [ ]}\n", "source: {path: source, patches: [NEW ]}\n"),
    "folded": (
        "source:\n  path: source\n  patches:\n    - >-\n      OLD\n\n",
        "source:\n  path: source\n  patches:\n    - >-\n      OLD\n    - NEW\n\n",
    ),
    "quoted": ("source:\n  path: 'source'\n", "source:\n  path: 'source'\n  patches:\n    - NEW\n"),
}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    directory = tmp_path / "demo"
    (directory / "patches").mkdir(parents=True)
    for name in (OLD, NEW):
        (directory / name).write_text("a patch")
    return directory / "recipe.yaml"


def named(text: str) -> str:
    return text.replace("OLD", OLD).replace("NEW", NEW)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("frame", ["whole", "at the end", "no last line break", "Windows", "marked"])
def test_added(file: Path, way: str, frame: str) -> None:
    before, after = (START + named(text) + END for text in WAYS[way])
    if frame in ("at the end", "no last line break"):
        before, after = (f"{START.rstrip()}{END}{named(text)}" for text in WAYS[way])
    content, wanted = before.encode(), after.encode()
    if frame == "no last line break" and way != "folded":
        content = content.rstrip(b"\n")
    if frame == "Windows":
        content, wanted = (each.replace(b"\n", b"\r\n") for each in (content, wanted))
    if frame == "marked":
        content, wanted = (b"\xef\xbb\xbf" + each for each in (content, wanted))
    made = with_patch(content, file, NEW)
    assert made.rstrip() == wanted.rstrip()
    assert parse_recipe(made, file).patches[-1].text == NEW


def test_twice(file: Path) -> None:
    once = with_patch((START + "source: {path: source}\n" + END).encode(), file, OLD)
    assert [each.text for each in parse_recipe(with_patch(once, file, NEW), file).patches] == [OLD, NEW]


@pytest.mark.parametrize(
    "source", ["source:\n  path: source\n  patches: *all\n", "source: &it\n  path: source\n  patches: *all\n"]
)
def test_a_list_that_is_an_alias(file: Path, source: str) -> None:
    """The patch would be in the other list too."""
    text = f"schema: 2\npackage: {{name: demo, version: '1.0'}}\n{END}test:\n  files: &all [{OLD}]\n{source}"
    with pytest.raises(RecipeError, match="written in a way that forge cannot add a patch to") as error:
        with_patch(text.encode(), file, NEW)
    assert error.value.hint is not None
    assert NEW in error.value.hint


def test_a_recipe_that_is_wrong(file: Path) -> None:
    with pytest.raises(InvalidRecipeError, match="backend"):
        with_patch((START + "source: {path: source}\nbuild: {}\n").encode(), file, NEW)


def test_a_patch_that_is_not_there(file: Path) -> None:
    with pytest.raises(RecipeError):
        with_patch((START + "source: {path: source}\n" + END).encode(), file, "patches/0003-none.patch")
