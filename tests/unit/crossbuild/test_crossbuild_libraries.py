"""Native libraries with a build system of their own: CMake, configure, Meson."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.base.target import Target, select_targets
from forge.crossbuild.backends import back_end
from forge.crossbuild.context import Build
from forge.crossbuild.cross_environment import CrossEnvironment
from forge.crossbuild.host_prefix import HostPrefix
from forge.crossbuild.lock_check import check_lock
from forge.recipe.evaluate import evaluate
from forge.recipe.model import TABLE_NAME, Backend
from forge.recipe.read import read_recipe
from tests.unit.crossbuild.fakes import RECIPE, make_context, write_recipe

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

DEVICE = select_targets()[0]
OPTIONS = """
  options:
    - --with-x=${host_prefix}/opt
    - A=two words
    - {value: --only-arm, when: {arch: arm64}}
    - {value: --only-x86, when: {arch: x86_64}}
  script: [rm -r $DESTDIR$PREFIX/share]"""


def make_build(root: Path, backend: str, extra: str = OPTIONS, target: Target = DEVICE) -> Build:
    text = RECIPE.replace("setuptools", f"{backend}{extra}")
    directory = write_recipe(root / "recipes", text=text)
    (directory / TABLE_NAME).unlink(missing_ok=True)
    recipe = evaluate(read_recipe(directory), target, "3.13")
    environment = CrossEnvironment(root / "cross", root / "cross/python", root / "build/bin/python", root / "wrappers")
    tree, work = root / "tree", root / "work"
    for directory in (tree, work):
        directory.mkdir()
    host = HostPrefix(root / "host", ())
    return Build(make_context(root, target), recipe, environment, host, work, tree, root / "log", "demo")


@pytest.mark.parametrize("backend", ["cmake", "autotools", "meson"])
def test_commands(tmp_path: Path, backend: str, snapshot: SnapshotAssertion) -> None:
    build = make_build(tmp_path, backend)
    assert build.recipe.is_native_library
    commands = back_end(build.recipe).commands(build, {}, tmp_path / "out")
    assert "\n".join(commands).replace(str(tmp_path), "ROOT") == snapshot


@pytest.mark.parametrize("backend", ["cmake", "autotools", "meson"])
def test_what_is_written_and_set(tmp_path: Path, backend: str) -> None:
    build = make_build(tmp_path, backend)
    env = back_end(build.recipe).prepare(build).env
    assert env["PREFIX"] == "/opt"
    assert "CC" in env
    assert ("CMAKE_TOOLCHAIN_FILE" in env) is (backend == "cmake")
    assert ("-fvisibility=hidden" in env.get("CFLAGS", "")) is (backend == "autotools")
    assert (build.work / "forge-cross.ini").exists() is (backend == "meson")


def test_configure_is_told_of_host_requirements(tmp_path: Path) -> None:
    build = make_build(tmp_path, "autotools", "\nrequirements: {host: [libpng]}")
    env = back_end(build.recipe).prepare(build).env
    assert env["CPPFLAGS"] == f"-I{build.host.opt}/include"
    assert env["LDFLAGS"] == f"-L{build.host.opt}/lib"


@pytest.mark.parametrize(
    ("backend", "requires", "expected"),
    [
        ("cmake", "[]", ("cmake>=3.24", "ninja")),
        ("cmake", "[cmake<4]", ("cmake<4", "ninja")),
        ("autotools", "[]", ()),
        ("meson", "[]", ("meson>=1.4", "ninja")),
    ],
)
def test_build_requirements(tmp_path: Path, backend: str, requires: str, expected: tuple[str, ...]) -> None:
    build = make_build(tmp_path, backend, f"\n  requires: {requires}")
    assert sorted(back_end(build.recipe).requires(build.recipe, build.tree)) == sorted(expected)


def test_configure_needs_no_lock(tmp_path: Path) -> None:
    build = make_build(tmp_path, "autotools", "")
    build.recipe.lock_file.unlink(missing_ok=True)
    assert check_lock(build.recipe, build.tree) is None


def test_back_ends_of_libraries() -> None:
    libraries = {backend for backend in Backend if backend.is_for_libraries}
    assert libraries == {Backend.SCRIPT, Backend.CMAKE, Backend.AUTOTOOLS, Backend.MESON}
