"""What CMake is told of a target."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.base.target import Target, select_targets
from forge.crossbuild.backends.cmake import ScikitBuildCore, toolchain_file
from forge.crossbuild.context import Build
from forge.crossbuild.cross_environment import CrossEnvironment
from forge.crossbuild.host_prefix import HostPrefix
from forge.recipe.evaluate import evaluate
from forge.recipe.read import read_recipe
from tests.unit.crossbuild.fakes import RECIPE, make_context, write_recipe

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion


def make_build(root: Path, target: Target, module: str = "scikit_build_core.build") -> Build:
    text = RECIPE.replace("setuptools", "scikit-build-core\n  config_settings: {cmake.define.X: y}")
    recipe = evaluate(read_recipe(write_recipe(root / "recipes", text=text)), target, "3.13")
    environment = CrossEnvironment(root / "cross", root / "cross/python", root / "build/bin/python", root / "wrappers")
    tree, work = root / "tree", root / "work"
    for directory in (tree, work):
        directory.mkdir()
    (tree / "pyproject.toml").write_text(f'[build-system]\nbuild-backend = "{module}"\n')
    return Build(
        make_context(root, target), recipe, environment, HostPrefix(root / "host", ()), work, tree, root / "log", "demo"
    )


@pytest.mark.parametrize("target", select_targets(), ids=str)
def test_the_toolchain_file(tmp_path: Path, target: Target, snapshot: SnapshotAssertion) -> None:
    text = toolchain_file(make_build(tmp_path, target), Path("/rules.cmake"), Path("/provider.cmake"))
    assert text.replace(str(tmp_path), "ROOT") == snapshot
    names = re.findall(r"set\((\w+) ", text)
    assert len(names) == len(set(names)), "each is set once"


def test_what_a_build_is_told(tmp_path: Path) -> None:
    build = make_build(tmp_path, select_targets()[0])
    prepared = ScikitBuildCore().prepare(build)
    assert prepared.config_settings == {"cmake.define.X": ("y",), "build-dir": (str(build.work / "cmake-build"),)}
    toolchain = Path(prepared.env["CMAKE_TOOLCHAIN_FILE"])
    rules = re.search(r'CMAKE_USER_MAKE_RULES_OVERRIDE "(.*)"', toolchain.read_text())
    assert rules
    assert "-dynamiclib" in Path(rules[1]).read_text()
    assert prepared.env["CMAKE_GENERATOR"] == "Ninja"
    assert prepared.env["SETUPTOOLS_EXT_SUFFIX"] == ".cpython-313-iphoneos.so"
    provider = re.search(r'CMAKE_PROJECT_TOP_LEVEL_INCLUDES "(.*)"', toolchain.read_text())
    assert provider
    assert 'set(${package}_SOABI "cpython-313-iphoneos")' in Path(provider[1]).read_text()
    assert str(build.environment.build_bin) in (Path(prepared.env["PYTHONPATH"]) / "ninja.py").read_text()


def test_another_back_end_that_runs_cmake_gets_no_setting_of_scikit_build_cores(tmp_path: Path) -> None:
    prepared = ScikitBuildCore().prepare(make_build(tmp_path, select_targets()[0], "py_build_cmake.build"))
    assert prepared.config_settings == {"cmake.define.X": ("y",)}
    assert "CMAKE_TOOLCHAIN_FILE" in prepared.env
