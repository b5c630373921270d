"""What has to be built for what was asked for, in an order in which it can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forge.base.errors import RecipeError
from forge.plan.closure import Step, closure
from forge.recipe.store import RecipeStore
from tests.unit.ios_python.fakes import DEVICE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCRIPT = "build: {backend: script, script: ['true']}\n"
PACKAGE = "build: {backend: setuptools}\n"


def write(root: Path, recipes: Mapping[str, Mapping[str, list[str]]], libraries: tuple[str, ...] = ()) -> RecipeStore:
    for name, requirements in recipes.items():
        directory = root / name
        directory.mkdir(parents=True)
        (directory / "recipe.yaml").write_text(
            f'schema: 1\npackage: {{name: {name}, version: "1.5"}}\nsource: {{path: .}}\n'
            + (SCRIPT if name in libraries else PACKAGE)
            + f"requirements: {{host: {requirements.get('host', [])}, run: {requirements.get('run', [])}}}\n"
        )
    return RecipeStore(root)


def steps(store: RecipeStore, *names: str) -> tuple[Step, ...]:
    return closure([store.load(name) for name in names], DEVICE, "3.13", store)


def test_what_is_needed_comes_first(tmp_path: Path) -> None:
    store = write(
        tmp_path,
        {
            "learn": {
                "host": ["sci>=1.2", "num"],
                "run": ["multi; sys_platform == 'ios'", "joblib", "win; os_name == 'nt'"],
            },
            "sci": {"host": ["num", "blas"]},
            "num": {"host": ["blas"]},
            "blas": {"host": ["compiler"]},
            "compiler": {},
            "multi": {},
            "win": {},
        },
        libraries=("blas", "compiler"),
    )  # fmt: skip
    found = steps(store, "learn")
    names = [step.recipe.name for step in found]
    assert set(names) == {"learn", "sci", "num", "blas", "compiler", "multi"}
    for step in found:
        assert all(names.index(host) < names.index(step.recipe.name) for host in step.host)
    by_name = {step.recipe.name: step for step in found}
    assert set(by_name["learn"].host) == {"sci", "num", "blas", "compiler"}
    assert set(by_name["num"].host) == {"blas", "compiler"}
    assert {step.recipe.name for step in found if step.wanted} == {"learn", "sci", "num", "multi"}


def test_a_native_library_that_is_asked_for_is_wanted(tmp_path: Path) -> None:
    store = write(tmp_path, {"blas": {}}, libraries=("blas",))
    assert [step.wanted for step in steps(store, "blas")] == [True]


@pytest.mark.parametrize(
    ("recipes", "message"),
    [
        ({"a": {"host": ["b"]}}, "there is no recipe 'b'"),
        ({"a": {"host": ["b>=2"]}, "b": {}}, r"a 1.5 requires b>=2, the recipe is of 1.5"),
        ({"a": {"host": ["b"]}, "b": {"host": ["a"]}}, r"need each other: (a needs b needs a|b needs a needs b)"),
        ({"a": {"host": ["a"]}}, "a needs a"),
    ],
)
def test_requirements_that_cannot_be_met(
    tmp_path: Path, recipes: Mapping[str, Mapping[str, list[str]]], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        steps(write(tmp_path, recipes), "a")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(0, 7), max_size=3, unique=True), min_size=1, max_size=8))
def test_any_graph_without_circles_is_ordered(tmp_path_factory: pytest.TempPathFactory, edges: list[list[int]]) -> None:
    # Each needs only those before it, so there is no circle.
    recipes = {
        f"r{number}": {"host": [f"r{other}" for other in needs if other < number]} for number, needs in enumerate(edges)
    }
    store = write(tmp_path_factory.mktemp("recipes"), recipes)
    found = steps(store, *recipes)
    done: set[str] = set()
    for step in found:
        assert set(step.host) <= done
        assert set(recipes[step.recipe.name]["host"]) <= set(step.host)
        done.add(step.recipe.normalized_name)
    assert done == set(recipes)
