"""Rust for iOS: a maturin build for both ABIs, and what it makes runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.base.paths import ForgeHome
from forge.base.process import run
from forge.base.progress import SilentProgress
from forge.base.target import Abi, Arch, Target
from forge.recipe.store import find_recipes
from forge.toolchain.environment import build_environment, prefix_map_variable
from forge.toolchain.rust import cargo_home, find_rust, write_rustc_wrapper
from forge.trial.options import TrialOptions
from forge.trial.run import prepare_recipe

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.crossbuild.conftest import Forge

pytestmark = pytest.mark.toolchain

CRATE = '[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n'

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


def test_a_crate_outside_of_the_workspace_compiles_to_the_same_anywhere(tmp_path: Path) -> None:
    """cargo names such a crate by its absolute path, which was in the names and the order of tokenizers' functions."""
    rust, home = find_rust(), ForgeHome.from_environment()

    def compiled(place: Path, *, wrapped: bool) -> bytes:
        for name, more, file, text in (
            ("dep", "", "lib.rs", "#[inline(never)] pub fn one() -> usize { std::env::args().count() }"),
            ("app", '[workspace]\n[dependencies]\ndep = {path = "../dep"}\n', "main.rs",
             'fn main() { println!("{}", dep::one()) }'),
        ):  # fmt: skip
            (place / name / "src").mkdir(parents=True)
            (place / name / "Cargo.toml").write_text(CRATE.format(name=name) + more)
            (place / name / "src" / file).write_text(text)
        env = build_environment(place, []) | {
            "CARGO_HOME": str(cargo_home(home)), "RUSTC": str(rust.rustc), "CARGO_INCREMENTAL": "0",
            "RUSTFLAGS": f"--remap-path-prefix={place}=/usr/src/demo",
        } | prefix_map_variable({place: "/usr/src/demo"})  # fmt: skip
        if wrapped:
            env["RUSTC_WRAPPER"] = str(write_rustc_wrapper(place))
        command: list[str | Path] = [rust.cargo, "build", "--release", "--offline", "--target", rust.host]
        run(command, log=place / "log", env=env, cwd=place / "app", what="cargo")
        return (place / "app" / "target" / rust.host / "release" / "app").read_bytes()

    one, other = tmp_path / "one", tmp_path / "another-place"
    assert compiled(one, wrapped=True) == compiled(other, wrapped=True)
    assert compiled(one / "plain", wrapped=False) != compiled(other / "plain", wrapped=False), (
        "cargo does it itself now"
    )
