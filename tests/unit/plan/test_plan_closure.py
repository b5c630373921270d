"""What has to be built for what was asked for, in an order in which it can be."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import forge
from forge.base.errors import RecipeError
from forge.base.target import IOSVersion, Target, select_targets
from forge.plan.closure import Step, closure, plan_builds
from forge.recipe import InvalidRecipeError
from forge.recipe.store import RecipeStore
from tests.unit.ios_python.fakes import DEVICE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syrupy.assertion import SnapshotAssertion

SCRIPT = "build: {backend: script, script: ['true']}\n"
PACKAGE = "build: {backend: setuptools}\n"


def write(root: Path, recipes: Mapping[str, Mapping[str, list[str]]], libraries: tuple[str, ...] = ()) -> RecipeStore:
    for name, requirements in recipes.items():
        directory = root / name
        directory.mkdir(parents=True)
        (directory / "recipe.yaml").write_text(
            f'schema: 2\npackage: {{name: {name}, version: "1.5"}}\nsource: {{path: .}}\n'
            + (SCRIPT if name in libraries else PACKAGE)
            + f"requirements: {{host: {requirements.get('host', [])}, run: {requirements.get('run', [])}}}\n"
        )
    return RecipeStore(root)


def steps(store: RecipeStore, *names: str) -> tuple[Step, ...]:
    return closure([store.load(name) for name in names], DEVICE, "3.13", store)


def test_a_pure_wheel_cannot_link_what_is_compiled_for_a_target(tmp_path: Path) -> None:
    store = write(tmp_path, {"pure": {"host": ["headers", "blas"]}, "headers": {}, "blas": {}}, ("headers", "blas"))
    for name in ("pure", "headers"):
        with (tmp_path / name / "recipe.yaml").open("a") as file:
            file.write("wheel: {native: false}\n")
    with pytest.raises(InvalidRecipeError, match="pure is built once for all targets, but blas is built for each") as e:
        steps(store, "pure")
    assert len(e.value.diagnostics) == 1, "headers are the same for all targets"


def test_a_version_of_python_that_a_recipe_does_not_support(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    store = write(tmp_path, {"app": {"host": ["num"]}, "num": {}})
    file = tmp_path / "num" / "recipe.yaml"
    file.write_text(file.read_text().replace('1.5"}', '1.5", python: ">=3.14"}'))
    with pytest.raises(InvalidRecipeError) as caught:
        steps(store, "app")
    assert str(caught.value).replace(str(tmp_path), "RECIPES") == snapshot
    assert len(closure([store.load("app")], DEVICE, "3.14", store)) == 2


def test_what_is_disabled(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    store = write(tmp_path, {"app": {"host": ["num"], "run": ["learn"]}, "num": {}, "learn": {}})
    for name, until in (("num", ", until: '2.0'"), ("learn", "")):
        with (tmp_path / name / "recipe.yaml").open("a") as file:
            file.write(f"state: {{disabled: it starts processes{until}}}\n")
    with pytest.raises(InvalidRecipeError) as caught:
        steps(store, "app", "num")
    assert str(caught.value).replace(str(tmp_path), "RECIPES") == snapshot


def test_what_is_no_longer_disabled(tmp_path: Path) -> None:
    store = write(tmp_path, {"num": {}})
    with (tmp_path / "num" / "recipe.yaml").open("a") as file:
        file.write("state: {disabled: it starts processes, until: '1.5'}\n")
    assert len(steps(store, "num")) == 1


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


def test_host_requirements_have_one_order_whatever_is_built_along(tmp_path: Path) -> None:
    """The bill of materials lists them: pillow's differed when it was built beside others."""
    recipes = {
        "app": {"host": ["text", "image"]}, "image": {"host": ["zip", "brotli"]}, "text": {"host": ["zip", "png"]},
        "png": {"host": ["zip"]}, "zip": {}, "brotli": {}, "other": {"host": ["brotli", "image"]},
    }  # fmt: skip
    store = write(tmp_path, recipes, tuple(set(recipes) - {"app", "other"}))
    orders = {
        next(step.host for step in steps(store, *names) if step.recipe.name == "app")
        for names in (("app",), ("other", "app"), ("app", "other"), ("brotli", "png", "app"), ("png", "app", "zip"))
    }
    (order,) = orders
    assert order.index("zip") < order.index("png") < order.index("text")


def test_a_native_library_that_is_asked_for_is_wanted(tmp_path: Path) -> None:
    store = write(tmp_path, {"blas": {}}, libraries=("blas",))
    assert [step.wanted for step in steps(store, "blas")] == [True]


@pytest.mark.parametrize(
    "recipes",
    [
        pytest.param({"a": {"host": ["x", "b"]}, "b": {"host": ["yy"]}}, id="103 unknown"),
        pytest.param({"a": {"host": ["a"]}}, id="104 itself"),
        pytest.param({"a": {"host": ["b>=2", "c<1"]}, "b": {}, "c": {}}, id="145 another version"),
        pytest.param({"a": {"host": ["b"]}, "b": {"host": ["c"]}, "c": {"host": ["a"]}}, id="147 circle of three"),
        pytest.param({"a": {"run": ["b>=2; python_version >= '3.13'"]}, "b": {}}, id="152 marker of the target"),
    ],
)
def test_requirements_that_cannot_be_met(
    tmp_path: Path,
    recipes: Mapping[str, Mapping[str, list[str]]],
    monkeypatch: pytest.MonkeyPatch,
    snapshot: SnapshotAssertion,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidRecipeError) as caught:
        steps(write(tmp_path, recipes), "a")
    assert caught.value.message == snapshot


def test_run_requirements_may_form_a_circle(tmp_path: Path) -> None:
    store = write(tmp_path, {"a": {"run": ["b"]}, "b": {"run": ["a"]}})
    assert {(step.recipe.name, step.wanted) for step in steps(store, "a")} == {("a", True), ("b", True)}


@pytest.mark.parametrize("marker", ["python_version < '3.12'", "platform_machine == 'x86_64'", "sys_platform != 'ios'"])
def test_markers_are_asked_of_the_target(tmp_path: Path, marker: str) -> None:
    store = write(tmp_path, {"a": {"run": [f"lib>=9; {marker}"]}, "lib": {}})
    assert [step.recipe.name for step in steps(store, "a")] == ["a"]


def test_no_other_module_asks_this_machine_for_markers() -> None:
    root = Path(forge.__file__).parent
    asking = [file for file in root.rglob("*.py") if re.search(r"import.*\bdefault_environment\b", file.read_text())]
    bare = [file for file in root.rglob("*.py") if re.search(r"marker\.evaluate\(\s*\)", file.read_text())]
    assert asking == bare == []


class TestPlan:
    def test_every_error_at_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
    ) -> None:
        monkeypatch.chdir(tmp_path)
        store = write(tmp_path, {name: {} for name in ("locked", "unlocked", "outdated", "damaged", "nowhere")})
        locked = "# requires: a\na==1 --hash=sha256:" + "ab" * 32 + "\n"
        for name, lock in (("locked", locked), ("outdated", locked), ("damaged", "a=1\n"), ("nowhere", locked)):
            (tmp_path / name / "build-requirements.lock").write_text(lock)
        edit(tmp_path / "outdated" / "recipe.yaml", "build: {", "build: {requires: [a, b], ")
        edit(tmp_path / "nowhere" / "recipe.yaml", "path: .", "path: ../src")
        wanted = store.load_all(["locked", "unlocked", "outdated", "damaged", "nowhere"])
        with pytest.raises(InvalidRecipeError) as caught:
            plan_builds(wanted, select_targets(), "3.13", store)
        assert caught.value.message == snapshot
        assert len(plan_builds(wanted[:1], select_targets(), "3.13", store)) == 3


def edit(file: Path, old: str, new: str) -> None:
    file.write_text(file.read_text().replace(old, new))


VARIANT = "variants: {system: {summary: x, ios_version: '>=16.4'}}\n"
SYSTEM = "{value: stub, when: {variant: system}}"
OWN = "{value: blas, when: {variant: default}}"
NEW = Target(DEVICE.abi, DEVICE.arch, IOSVersion(16, 4))


@pytest.fixture
def two_ways(tmp_path: Path) -> RecipeStore:
    """A library that two packages link in one of two ways, and a third that knows one only."""
    store = write(tmp_path, {name: {} for name in ("num", "sci", "plot", "blas", "stub")}, libraries=("blas", "stub"))
    for name, host in (("num", f"{OWN}, {SYSTEM}"), ("sci", f"num, {OWN}, {SYSTEM}"), ("plot", "num, sci")):
        file = store.path(name)
        text = file.read_text().replace("host: []", f"host: [{host}]")
        file.write_text(text + (VARIANT if name != "plot" else ""))
    return store


@pytest.mark.parametrize(
    ("variants", "names"),
    [((), {"plot", "sci", "num", "blas"}), (("system",), {"plot", "sci", "num", "stub"})],
)
def test_a_variant_holds_for_all_of_it(two_ways: RecipeStore, variants: tuple[str, ...], names: set[str]) -> None:
    found = closure([two_ways.load("plot")], NEW, "3.13", two_ways, variants)
    assert {step.recipe.name for step in found} == names
    by_name = {step.recipe.name: step for step in found}
    assert by_name["sci"].recipe.variants == by_name["num"].recipe.variants == variants
    assert by_name["plot"].recipe.variants == ()
    assert set(by_name["plot"].host) == names - {"plot"}


def test_variants_that_cannot_be_had(two_ways: RecipeStore) -> None:
    with pytest.raises(RecipeError, match=r"none of the selected recipes declares the variant 'sistem'"):
        closure([two_ways.load("plot")], NEW, "3.13", two_ways, ["sistem"])
    with pytest.raises(RecipeError, match=r"none of the selected recipes declares the variant 'system'"):
        closure([two_ways.load("blas")], NEW, "3.13", two_ways, ["system"])
    with pytest.raises(InvalidRecipeError) as caught:
        closure([two_ways.load("plot")], DEVICE, "3.13", two_ways, ["system"])
    assert [diagnostic.message.partition("'")[0] for diagnostic in caught.value.diagnostics] == ["num", "sci"]


@settings(max_examples=40)
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
