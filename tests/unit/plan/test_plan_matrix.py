"""Several versions of Python: which are meant, and what need not be built again."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from forge.base.errors import IOSPythonError
from forge.plan.lock_python import lock_minor
from forge.plan.matrix import parse_versions, recipes_by_version, remaining, wheel_versions
from forge.plan.run import Result
from forge.recipe.read import read_recipe
from tests.unit.ios_python.fakes import DEVICE

if TYPE_CHECKING:
    from forge.plan.closure import Step
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
    text = f'schema: 1\npackage: {{name: {name}, version: "1.0"{f", python: {python!r}" if python else ""}}}\n'
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


def step(name: str, *host: str) -> Step:
    named = SimpleNamespace(name=name, version="1.0", native=True)
    evaluated = SimpleNamespace(recipe=named, target=DEVICE, normalized_name=name)
    return cast("Step", SimpleNamespace(recipe=evaluated, host=host))


def result(name: str, tags: str) -> Result:
    return Result(f"{name} 1.0 {DEVICE}", Path(f"{name}-1.0-{tags}.whl"), "key", built=True)


@pytest.mark.parametrize(
    ("tags", "minor", "built_again"),
    [
        ("cp313-cp313-ios_12_0_arm64_iphoneos", "3.14", True),
        ("cp313-abi3-ios_12_0_arm64_iphoneos", "3.14", False),
        ("cp311-abi3-ios_12_0_arm64_iphoneos", "3.15", False),
        ("cp315-abi3.abi3t-ios_12_0_arm64_iphoneos", "3.14", True),
        ("cp39.cp310-abi3-ios_12_0_arm64_iphoneos", "3.14", False),
        ("py3-none-any", "3.14", False),
        ("py3-none-ios_12_0_arm64_iphoneos", "3.14", False),
        ("cp314-cp314-ios_12_0_arm64_iphoneos", "3.14", False),
    ],
)
def test_what_serves_a_version_is_not_built_again(tags: str, minor: str, built_again: bool) -> None:
    left = remaining([step("demo")], [result("demo", tags)], minor)
    assert bool(left) is built_again


def test_others_and_what_is_compiled_against_stay() -> None:
    steps: list[Any] = [step("ffi"), step("numpy"), step("demo", "numpy")]
    results = [result(name, "cp313-abi3-ios_12_0_arm64_iphoneos") for name in ("ffi", "numpy", "elsewhere")]
    assert [each.recipe.normalized_name for each in remaining(steps, results, "3.14")] == ["numpy", "demo"]


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
