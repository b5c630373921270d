"""Wheels that are built again: which recipe, target and Python, and what the command line says of the outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.base.errors import RecipeError, WheelError
from forge.base.target import select_targets
from forge.plan import rebuild as rebuild_module
from forge.plan.rebuild import python_of_wheel, target_of
from forge.wheel.contents import read_wheel
from tests.unit.cli.runner import Forge
from tests.unit.crossbuild.fakes import MODULE, RECIPE, make_context, no_cross_environment, write_recipe
from tests.unit.macho.builder import macho
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

ONE = ("--abi", "iphoneos")


@pytest.fixture
def forge(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Forge:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORGE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("FORGE_RECIPES", raising=False)
    context = make_context(tmp_path)
    monkeypatch.setattr("forge.cli.build.plan_context", lambda *_: context)
    monkeypatch.setattr(rebuild_module, "plan_context", lambda *_: context)
    monkeypatch.setattr("forge.crossbuild.recipe_build.ensure_cross_environment", no_cross_environment)
    write_recipe(tmp_path / "recipes")
    return Forge(tmp_path, capsys)


def built(forge: Forge) -> Path:
    assert forge("build", "demo", *ONE).code == 0
    return next((forge.root / "dist").glob("*.whl"))


def change(forge: Forge) -> None:
    """Make the source another one."""
    source = forge.root / "recipes" / "demo" / "source"
    files = {"demo/__init__.py": b"x = 1\n", MODULE: macho(exports=("_PyInit__x",))}
    make_wheel(source, files, name="demo")


def test_the_same(forge: Forge) -> None:
    wheel = built(forge)
    said = forge("rebuild", str(wheel))
    assert (said.code, said.out) == (0, f"{wheel.name}: the same, bit for bit\n")
    assert "demo 1.0 arm64-iphoneos: build" in said.err, "it was not taken from the cache"
    assert "cache" not in said.err


def test_another(forge: Forge) -> None:
    wheel = built(forge)
    other = forge.root / "other"
    other.mkdir()
    change(forge)
    said = forge("rebuild", str(wheel), "--out", "other")
    assert said.code == 13
    assert f"{wheel.name} is not the same when it is built again\n  demo/__init__.py: the text differs\n" in said.err
    assert "\n      @@ -0,0 +1 @@\n      +x = 1\n" in said.err
    assert (other / wheel.name).is_file()
    again = forge("rebuild", str(wheel), "--out", "other")
    assert (again.code, "is there already" in again.err) == (9, True)


def test_a_sample_of_the_cache(forge: Forge) -> None:
    wheel = built(forge)
    assert forge("challenge").out == f"{wheel.name}: same\n1 same, 0 different, 0 failed, 0 skipped\n"
    change(forge)
    said = forge("challenge", "--sample", "1", "--seed", "1")
    assert said.code == 0
    assert said.out.startswith(f"{wheel.name}: skipped: {wheel.name} was built from other inputs than it would be")
    assert "recipe.source" in said.out
    assert forge("challenge", "dist").out.splitlines()[0] == f"{wheel.name}: different"
    assert forge("challenge", "dist").code == 13


def test_a_build_that_fails(forge: Forge) -> None:
    wheel = built(forge)
    backend = forge.root / "recipes" / "demo" / "source" / "backend.py"
    backend.write_text("raise SystemExit('words')\n" + backend.read_text())
    said = forge("challenge", str(wheel))
    assert (said.code, said.out.splitlines()[-1]) == (8, "0 same, 0 different, 1 failed, 0 skipped")


def test_no_recipe_or_another_version(forge: Forge) -> None:
    wheel = built(forge)
    recipe = forge.root / "recipes" / "demo" / "recipe.yaml"
    recipe.write_text(RECIPE.replace("1.0", "2.0"))
    said = forge("rebuild", str(wheel))
    assert said.code == RecipeError.exit_code
    assert "the recipe of demo builds 2.0, not 1.0" in said.err


@pytest.mark.parametrize(
    ("tag", "minor"),
    [("cp313-cp313", "3.13"), ("cp314-abi3", "3.14"), ("py3-none", "3.13"), ("cp39-abi3", "3.13")],
)
def test_target_and_python(tmp_path: Path, tag: str, minor: str) -> None:
    target = select_targets()[0]
    contents = read_wheel(make_wheel(tmp_path, tag=f"{tag}-{target.platform_tag}"))
    assert (target_of(contents), python_of_wheel(contents)) == (target, minor)


def test_the_bill_of_materials_says_which_python(tmp_path: Path) -> None:
    """A wheel for the stable ABI of an older Python, built with a newer one."""
    sbom = '{"bomFormat": "CycloneDX", "components": [{"type": "framework", "name": "cpython", "version": "3.14"}]}'
    files = {"demo-1.0.dist-info/sboms/forge.cdx.json": sbom.encode()}
    wheel = make_wheel(tmp_path, files, name="demo", tag="cp39-abi3-ios_12_0_arm64_iphoneos")
    assert python_of_wheel(read_wheel(wheel)) == "3.14"


@pytest.mark.parametrize("tag", ["cp312-cp312-ios_12_0_arm64_iphoneos", "cp313-cp313-manylinux_2_17_x86_64"])
def test_not_forges(tmp_path: Path, tag: str) -> None:
    contents = read_wheel(make_wheel(tmp_path, tag=tag))
    with pytest.raises(WheelError, match=r"forge does not build for|is not for iOS"):
        _ = target_of(contents), python_of_wheel(contents)
