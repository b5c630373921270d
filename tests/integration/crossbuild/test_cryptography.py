"""cryptography, which the README names: its own wheel is built and run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.base.progress import SilentProgress
from forge.recipe.store import find_recipes
from forge.trial.options import TrialOptions
from forge.trial.run import prepare_recipe
from tests.integration.budget import need_wheels
from tests.integration.targets import SIMULATOR

if TYPE_CHECKING:
    from tests.integration.crossbuild.conftest import Forge

pytestmark = pytest.mark.toolchain


def test_its_tests_pass_on_this_machine(forge: Forge) -> None:
    store = find_recipes()
    recipe = store.load("cryptography")
    need_wheels(["cryptography"], SIMULATOR, forge.context, store)
    trial = prepare_recipe(recipe, SIMULATOR, forge.context, store, forge.out, SilentProgress(), TrialOptions()).run(
        SilentProgress()
    )
    assert trial.outcome.is_good, trial.outcome.output.read_text()
    assert len(trial.outcome.cases) >= 5
