"""Rust for iOS: a maturin build for both ABIs, and what it makes runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.base.progress import SilentProgress
from forge.base.target import Abi, Arch, Target
from forge.recipe.store import find_recipes
from forge.trial.options import TrialOptions
from forge.trial.run import prepare_recipe

if TYPE_CHECKING:
    from tests.integration.crossbuild.conftest import Forge

pytestmark = pytest.mark.toolchain

DEVICE = Target(Abi.IPHONEOS, Arch.ARM64)
SIMULATOR = Target(Abi.IPHONESIMULATOR, Arch.X86_64)


def test_a_wheel_for_the_device(forge: Forge) -> None:
    result = forge.build("rpds-py", DEVICE)
    assert result.wheel.name.endswith("-cp313-cp313-ios_12_0_arm64_iphoneos.whl")
    assert result.warnings == ()


def test_the_projects_own_tests_pass_on_the_simulators_wheel(forge: Forge) -> None:
    store = find_recipes()
    trial = prepare_recipe(
        store.load("rpds-py"), SIMULATOR, forge.context, store, forge.out, SilentProgress(), TrialOptions(suite=True)
    ).run(SilentProgress())
    assert trial.outcome.is_good
    assert sum(case.outcome == "passed" for case in trial.outcome.cases) > 100
    assert "rpds.rpds" in trial.outcome.reports[0]["modules"]


def test_a_host_requirement_is_built_and_linked(forge: Forge) -> None:
    store = find_recipes()
    trial = prepare_recipe(
        store.load("cffi"), SIMULATOR, forge.context, store, forge.out, SilentProgress(), TrialOptions()
    ).run(SilentProgress())
    assert trial.outcome.is_good
