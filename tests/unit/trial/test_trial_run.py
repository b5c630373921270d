"""Which wheels a recipe's tests are run with; nothing is run."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from forge.crossbuild.recipe_build import BuiltWheel
from forge.plan import run as plan_run
from forge.recipe.store import RecipeStore
from forge.trial import run as trial_run
from forge.trial.options import TrialOptions
from forge.trial.run import prepare_recipe
from forge.wheel.contents import read_wheel
from tests.unit.crossbuild.fakes import RECIPE, VARIANT, make_context, write_recipe
from tests.unit.ios_python.fakes import ARM_SIMULATOR, Recorder
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from forge.recipe.model import EvaluatedRecipe


class ChosenError(Exception):
    """Ends a trial where the app would be made; its arguments are the wheels."""


@pytest.fixture
def tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Tries a recipe; the names and contents of the wheels that the app would be made of."""
    demo = write_recipe(tmp_path / "recipes", text=VARIANT)
    for name, requirement in (("user", "demo"), ("plain", None)):
        shutil.copytree(demo, demo.parent / name)
        text = RECIPE.replace("name: demo", f"name: {name}")
        needs = f"requirements: {{run: [{requirement}]}}\n" if requirement else ""
        (demo.parent / name / "recipe.yaml").write_text(text + needs)
    store, context = RecipeStore(demo.parent), make_context(tmp_path, ARM_SIMULATOR)

    def build_recipe(recipe: EvaluatedRecipe, context: object, *, key: str, out: Path, **_: Any) -> BuiltWheel:
        wheel = out / f"{recipe.name}-1.0-cp313-cp313-{recipe.target.platform_tag}.whl"
        way = recipe.env.get("WAY", "usual")
        make_wheel(out, {"way": way.encode()}, name=recipe.name, filename=wheel.name)
        log = out / "log"
        log.touch()
        return BuiltWheel(wheel, log)

    def make_app(wheels: list[Path], *_: object) -> None:
        raise ChosenError(*wheels)

    def try_it(name: str, *variants: str) -> list[tuple[str, str]]:
        with pytest.raises(ChosenError) as caught:
            prepare_recipe(
                store.load(name),
                ARM_SIMULATOR,
                context,
                store,
                tmp_path / "dist",
                Recorder(),
                TrialOptions(variants=variants),
            ).run(Recorder())
        return [(wheel.name.partition("-")[0], read_wheel(wheel).read("way").decode()) for wheel in caught.value.args]

    monkeypatch.setattr(plan_run, "build_recipe", build_recipe)
    monkeypatch.setattr(trial_run, "make_app", make_app)
    monkeypatch.setattr(trial_run, "check_runs_here", lambda target, cpu: None)
    return try_it


def test_a_variant_is_what_is_tried(tried: Any) -> None:
    assert tried("demo", "fast") == [("demo", "fast")]
    assert tried("demo") == [("demo", "usual")]


def test_what_it_requires_is_of_the_same_variant(tried: Any) -> None:
    """Not what an earlier run left in the directory, under a name that pip likes better."""
    assert tried("demo") == [("demo", "usual")]
    assert tried("user", "fast") == [("user", "usual"), ("demo", "fast")]
    assert tried("user") == [("user", "usual"), ("demo", "usual")]


def test_one_of_several_recipes_may_have_no_variant(tried: Any) -> None:
    assert tried("plain", "fast") == [("plain", "usual")]
