"""numpy, which the README names: its own wheel is built and run, on this machine's CPU and on others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.base.progress import SilentProgress
from forge.base.target import Arch
from forge.emulate.guest import find_qemu
from forge.recipe.store import find_recipes
from forge.trial.options import TrialOptions
from forge.trial.run import prepare_recipe
from tests.integration.budget import need_wheels
from tests.integration.targets import SIMULATOR

if TYPE_CHECKING:
    from forge.trial.report import Trial
    from tests.integration.crossbuild.conftest import Forge

pytestmark = pytest.mark.toolchain


def tried(forge: Forge, cpu: str | None = None) -> Trial:
    store = find_recipes()
    recipe = store.load("numpy")
    need_wheels(["numpy"], SIMULATOR, forge.context, store)
    return prepare_recipe(
        recipe, SIMULATOR, forge.context, store, forge.out, SilentProgress(), TrialOptions(cpu=cpu)
    ).run(SilentProgress())


def test_its_tests_pass_on_this_machine(forge: Forge) -> None:
    outcome = tried(forge).outcome
    assert outcome.is_good, outcome.output.read_text()
    assert len(outcome.cases) >= 5


@pytest.mark.skipif(SIMULATOR.arch is not Arch.X86_64, reason="runs x86-64 code")
@pytest.mark.skipif(find_qemu(Arch.X86_64) is None, reason="there is no qemu-x86_64")
@pytest.mark.parametrize("cpu", ["Nehalem", "Haswell"])
def test_cpus_without_avx512(cpu: str, forge: Forge) -> None:
    """Such a CPU makes numpy read Darwin's commpage; Nehalem has no AVX at all, which numpy's baseline must not use."""
    outcome = tried(forge, cpu).outcome
    assert outcome.is_good, outcome.output.read_text()
    assert sum(case.outcome == "passed" for case in outcome.cases) > 20
