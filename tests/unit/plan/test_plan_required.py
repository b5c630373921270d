"""What built wheels require is built along, asked of the target; what builds is a few lines in place of a build."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from forge.base.errors import WheelError
from forge.crossbuild.recipe_build import BuiltWheel
from forge.plan import run as run_module
from forge.plan.closure import closure
from forge.plan.required import build_steps
from forge.recipe.store import RecipeStore
from tests.unit.crossbuild.fakes import RECIPE, make_context
from tests.unit.ios_python.fakes import ARM_SIMULATOR, DEVICE, Recorder
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from forge.base.target import Target
    from forge.crossbuild.context import BuildContext
    from forge.plan.run import Failure, Result
    from forge.recipe.model import EvaluatedRecipe

REQUIRES = {
    "demo": [
        "helper>=1; sys_platform == 'ios'", "never; sys_platform == 'linux'", "pure", "optional; extra == 'more'",
    ],
    "helper": ["demo", "deep<2; python_version >= '3.13'"],
    "deep": [],
    "never": [],
    "optional": [],
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecipeStore:
    for name in REQUIRES:
        directory = tmp_path / "recipes" / name
        (directory / "source").mkdir(parents=True)
        (directory / "recipe.yaml").write_text(RECIPE.replace("demo", name))
        (directory / "build-requirements.lock").write_text("")

    def build(recipe: EvaluatedRecipe, context: BuildContext, *, out: Path, **_: Any) -> BuiltWheel:
        log = tmp_path / "log"
        log.touch()
        lines = [f"Requires-Dist: {text}\n" for text in REQUIRES[recipe.name]]
        metadata = f"Metadata-Version: 2.4\nName: {recipe.name}\nVersion: 1.0\n{''.join(lines)}"
        tag = f"cp313-cp313-{recipe.target.platform_tag}" if recipe.native else "py3-none-any"
        filename = f"{recipe.name}-1.0-{tag}.whl"
        return BuiltWheel(make_wheel(out, name=recipe.name, metadata=metadata, filename=filename), log)

    monkeypatch.setattr(run_module, "build_recipe", build)
    return RecipeStore(tmp_path / "recipes")


def build(
    store: RecipeStore, tmp_path: Path, results: list[Result] | None = None, target: Target = DEVICE
) -> list[Result]:
    context = make_context(tmp_path, target)
    steps = closure([store.load("demo")], target, "3.13", store)
    return build_steps(steps, target, context, store, tmp_path / "dist", Recorder(), (), results)


def test_requirements_that_have_recipes_are_built_along(store: RecipeStore, tmp_path: Path) -> None:
    """Those of the target, not of this machine; those of what is built along too; none of an extra's."""
    assert [result.subject.split()[0] for result in build(store, tmp_path)] == ["demo", "helper", "deep"]
    assert sorted(path.name.partition("-")[0] for path in (tmp_path / "dist").iterdir()) == ["deep", "demo", "helper"]


def test_what_a_pure_wheel_requires_is_built_for_each_target(store: RecipeStore, tmp_path: Path) -> None:
    file = tmp_path / "recipes" / "demo" / "recipe.yaml"
    file.write_text(file.read_text().replace("extensions: [demo._x]", "native: false"))
    done = build(store, tmp_path)
    first = len(done)
    build(store, tmp_path, done, ARM_SIMULATOR)
    assert [result.subject for result in done[:first]] == ["demo 1.0", f"helper 1.0 {DEVICE}", f"deep 1.0 {DEVICE}"]
    assert [result.subject for result in done[first:]] == [f"helper 1.0 {ARM_SIMULATOR}", f"deep 1.0 {ARM_SIMULATOR}"]


def test_what_tests_require_is_built_along(store: RecipeStore, tmp_path: Path) -> None:
    steps = closure([store.load("deep")], DEVICE, "3.13", store)
    results = build_steps(
        steps, DEVICE, make_context(tmp_path), store, tmp_path / "dist", Recorder(), besides=["optional", "pytest"]
    )
    assert [result.subject.split()[0] for result in results] == ["deep", "optional"]


def test_another_version_than_the_recipes(store: RecipeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REQUIRES, "demo", ["helper>=2"])
    done: list[Result] = []
    with pytest.raises(WheelError, match=r"requires helper>=2, but the recipe builds helper 1\.0"):
        build(store, tmp_path, done)
    assert [result.subject.split()[0] for result in done] == ["demo"], "what was built is told"
    failures: list[Failure] = []
    steps = closure([store.load("demo"), store.load("deep")], DEVICE, "3.13", store)
    context = make_context(tmp_path)
    more = build_steps(steps, DEVICE, context, store, tmp_path / "dist", Recorder(), failures=failures)
    assert sorted(result.subject.split()[0] for result in more) == ["deep", "demo"]
    assert [type(failure.error) for failure in failures] == [WheelError]
