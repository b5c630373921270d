"""Finding recipes, and the recipes that forge brings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from forge.base.errors import RecipeError
from forge.base.target import select_targets
from forge.recipe import RecipeStore, digest_input, evaluate, find_recipes
from forge.recipe.data import data_directory
from forge.recipe.model import Backend
from forge.recipe.values import VARIABLE_NAMES

from .conftest import GOOD

if TYPE_CHECKING:
    from .conftest import WriteRecipe

SHIPPED = RecipeStore(data_directory("recipes"))


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORGE_RECIPES", raising=False)


def test_upward_from_the_working_directory(write: WriteRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(GOOD)
    below = tmp_path / "a" / "recipes"
    below.mkdir(parents=True)  # holds no recipe, so it is passed over
    monkeypatch.chdir(below.parent)
    assert find_recipes() == RecipeStore(tmp_path / "recipes")


def test_named_before_variable_before_working_directory(
    write: WriteRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(GOOD)
    for name in ("named", "variable"):
        (tmp_path / name / "x").mkdir(parents=True)
        (tmp_path / name / "x" / "recipe.yaml").touch()
    monkeypatch.setenv("FORGE_RECIPES", str(tmp_path / "variable"))
    assert find_recipes().directory == tmp_path / "variable"
    assert find_recipes(tmp_path / "named").directory == tmp_path / "named"


def test_recipes_of_other_programs_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = tmp_path / "recipes" / "x" / "recipe.yaml"
    recipe.parent.mkdir(parents=True)
    recipe.write_text("schema_version: 1\ncontext: {version: 1}\npackage: {name: x}\n")
    monkeypatch.chdir(tmp_path)
    assert find_recipes() == SHIPPED


@pytest.mark.parametrize("variable", [False, True])
def test_the_home_directory_of_nobody(variable: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_RECIPES", "~nosuchuser-forge/x")
    with pytest.raises(RecipeError, match="~nosuchuser-forge/x"):
        find_recipes() if variable else find_recipes(Path("~nosuchuser-forge/x"))


def test_forges_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_recipes() == SHIPPED


def test_a_named_directory_must_hold_recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RecipeError, match="holds no recipe"):
        find_recipes(tmp_path)
    monkeypatch.setenv("FORGE_RECIPES", str(tmp_path / "x"))
    with pytest.raises(RecipeError, match=r"there is no directory of recipes .*\(FORGE_RECIPES\)"):
        find_recipes()


def test_names_are_normalized(write: WriteRecipe) -> None:
    write(GOOD.replace("demo", "Ruamel.YAML"), name="ruamel_yaml")
    store = find_recipes()
    assert store.names() == ("ruamel-yaml",)
    assert store.load("RUAMEL.yaml").name == "Ruamel.YAML"


def test_an_unknown_name(write: WriteRecipe) -> None:
    write(GOOD)
    with pytest.raises(RecipeError, match="there is no recipe 'dmo' in recipes") as caught:
        find_recipes().load("dmo")
    assert caught.value.hint == "did you mean 'demo'?"


def test_the_schema_is_one() -> None:
    schema = json.loads((data_directory("schemas") / "recipe.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    said = schema["$defs"]["leaf"]["description"]
    assert all(f"${{{name}}}" in said for name in VARIABLE_NAMES)


@pytest.mark.parametrize("name", SHIPPED.names())
def test_shipped(name: str) -> None:
    recipe = SHIPPED.load(name)
    # A Python package's own metadata may say it.
    assert recipe.about.license or recipe.backend is not Backend.SCRIPT
    for target in select_targets():
        evaluated = evaluate(recipe, target, "3.13")
        if evaluated.is_native_library:
            assert evaluated.license_files  # its wheel has no other place for them
        else:
            assert evaluated.trial.imports
            assert evaluated.native == bool(evaluated.extensions or evaluated.libraries)
        for variant in recipe.variants:
            chosen = evaluate(recipe, target, "3.13", [variant.name])
            assert digest_input(chosen) != digest_input(evaluated), "a variant that changes nothing"
