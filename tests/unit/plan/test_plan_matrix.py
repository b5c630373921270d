"""Several versions of Python: which are meant, and what need not be built again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.base.errors import IOSPythonError
from forge.plan.lock_python import lock_minor
from forge.plan.matrix import parse_versions, recipes_by_version, serves, wheel_versions
from forge.recipe.read import read_recipe

if TYPE_CHECKING:
    from pathlib import Path

    from forge.recipe.model import Recipe


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        ("3.13", ("3.13",)),
        ("3.14,3.13", ("3.13", "3.14")),
        (" 3.15 , 3.13,3.15", ("3.13", "3.15")),
        ("3.13.5,3.14", ("3.13.5", "3.14")),
        ("all", ("3.13", "3.14", "3.15")),
    ],
)
def test_versions(text: str, versions: tuple[str, ...]) -> None:
    assert parse_versions(text) == versions


@pytest.mark.parametrize("text", ["", "3.12", "3.13,", "3.13;3.14", "ALL", "3.13,3.13.5"])
def test_wrong_versions(text: str) -> None:
    with pytest.raises(IOSPythonError):
        parse_versions(text)


def recipe(root: Path, name: str, python: str = "") -> Recipe:
    directory = root / name
    directory.mkdir()
    text = f'schema: 2\npackage: {{name: {name}, version: "1.0"{f", python: {python!r}" if python else ""}}}\n'
    (directory / "recipe.yaml").write_text(f"{text}source: {{path: .}}\nbuild: {{backend: setuptools}}\n")
    return read_recipe(directory)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("all", {"3.13": ["any", "old"], "3.14": ["any", "new"], "3.15": ["any", "new"]}),
        ("3.13", {"3.13": ["any", "old", "new"]}),
        ("3.14,3.13", {"3.13": ["any", "old", "new"], "3.14": ["any", "old", "new"]}),
    ],
)
def test_what_each_version_is_asked_of(text: str, wanted: dict[str, list[str]], tmp_path: Path) -> None:
    recipes = [recipe(tmp_path, "any"), recipe(tmp_path, "old", "<3.14"), recipe(tmp_path, "new", ">=3.14")]
    found = recipes_by_version(text, recipes)
    assert {version: [each.name for each in recipes] for version, recipes in found.items()} == wanted


def test_all_versions_of_a_recipe_that_supports_few(tmp_path: Path) -> None:
    assert list(recipes_by_version("all", [recipe(tmp_path, "demo", "==3.14")])) == ["3.14"]
    # None that forge knows: left to the plan, which says what is wrong.
    assert list(recipes_by_version("all", [recipe(tmp_path, "later", ">=3.40")])) == ["3.13", "3.14", "3.15"]


@pytest.mark.parametrize(("python", "minor"), [("", "3.13"), (">=3.14", "3.14"), ("<3.15", "3.13"), (">=3.40", "3.13")])
def test_what_a_recipe_is_locked_for(python: str, minor: str, tmp_path: Path) -> None:
    assert lock_minor(recipe(tmp_path, "demo", python), "3.13") == minor


@pytest.mark.parametrize(
    ("tags", "minor", "served"),
    [
        ("cp313-cp313-ios_12_0_arm64_iphoneos", "3.14", False),
        ("cp313-abi3-ios_12_0_arm64_iphoneos", "3.14", True),
        ("cp311-abi3-ios_12_0_arm64_iphoneos", "3.15", True),
        ("cp315-abi3.abi3t-ios_12_0_arm64_iphoneos", "3.14", False),
        ("cp39.cp310-abi3-ios_12_0_arm64_iphoneos", "3.14", True),
        ("py3-none-any", "3.14", True),
        ("py3-none-ios_12_0_arm64_iphoneos", "3.14", True),
        ("cp314-cp314-ios_12_0_arm64_iphoneos", "3.14", True),
    ],
)
def test_what_serves_a_version(tags: str, minor: str, served: bool) -> None:
    assert serves(f"demo-1.0-{tags}.whl", minor) is served


@pytest.mark.parametrize(
    ("tags", "wanted", "versions"),
    [
        ("cp314-cp314-ios_12_0_arm64_iphoneos", None, ("3.14",)),
        ("cp313-abi3-ios_12_0_arm64_iphoneos", None, ("3.13",)),
        ("cp314-abi3-ios_12_0_arm64_iphoneos", None, ("3.14",)),
        ("cp311-abi3-ios_12_0_arm64_iphoneos", ("3.13", "3.15"), ("3.13", "3.15")),
        ("cp313-cp313-ios_12_0_arm64_iphoneos", None, ("3.13.5",)),
        ("py3-none-ios_12_0_arm64_iphoneos", ("3.15",), ("3.15",)),
    ],
)
def test_what_a_wheel_is_run_in(tags: str, wanted: tuple[str, ...] | None, versions: tuple[str, ...]) -> None:
    default = "3.13.5" if versions == ("3.13.5",) else "3.13"
    assert wheel_versions(f"demo-1.0-{tags}.whl", wanted, default) == versions


@pytest.mark.parametrize(
    ("tags", "wanted", "said"),
    [
        ("cp312-cp312-ios_12_0_arm64_iphoneos", None, "is not for a version of Python that forge knows"),
        ("cp314-cp314-ios_12_0_arm64_iphoneos", ("3.14", "3.13"), "is not for Python 3.13"),
        ("cp314-abi3-ios_12_0_arm64_iphoneos", ("3.13",), "is not for Python 3.13"),
    ],
)
def test_a_python_that_a_wheel_is_not_for(tags: str, wanted: tuple[str, ...] | None, said: str) -> None:
    with pytest.raises(IOSPythonError, match=said):
        wheel_versions(f"demo-1.0-{tags}.whl", wanted, "3.13")
