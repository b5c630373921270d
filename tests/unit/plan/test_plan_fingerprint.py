from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import grimp
import pytest

import forge
from forge.base.hashing import fingerprint
from forge.base.target import IOSVersion, Target
from forge.ios_python.build_python import BuildPython
from forge.plan.fingerprint import ABOVE, build_inputs
from forge.recipe.evaluate import evaluate
from forge.recipe.read import read_recipe
from tests.unit.crossbuild.fakes import RECIPE, make_context, write_recipe
from tests.unit.ios_python.fakes import ARM_SIMULATOR, DEVICE, FakeToolchain

if TYPE_CHECKING:
    from collections.abc import Callable

    from forge.ios_python.model import IOSPython

PATCH = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"
TEXT = RECIPE.replace("source\nbuild", "source\n  patches: [one.patch]\nbuild") + (
    "about:\n  license: MIT\n  summary: A demonstration\ntest:\n  imports: [demo]\n"
)


class Case:
    """A recipe and a build context that a test changes in one respect."""

    def __init__(self, root: Path) -> None:
        self.directory = write_recipe(root / "recipes", text=TEXT)
        (self.directory / "one.patch").write_text(PATCH)
        self.context = make_context(root)
        self.target = DEVICE

    def key(self) -> str:
        return fingerprint(build_inputs(evaluate(read_recipe(self.directory), self.target, "3.13"), self.context))

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.directory / name).read_text()
        assert old in text
        (self.directory / name).write_text(text.replace(old, new))

    def rename_patch(self) -> None:
        (self.directory / "one.patch").rename(self.directory / "two.patch")
        self.edit("recipe.yaml", "one.patch", "two.patch")

    def make_pure(self) -> None:
        self.edit("recipe.yaml", "test:", "wheel: {native: false}\ntest:")
        (self.directory / "extension-modules.txt").unlink()

    def change(self, **fields: object) -> None:
        self.context = dataclasses.replace(self.context, **fields)  # type: ignore[arg-type]  # BuildContext's own fields

    def ios_python(self, *fingerprints: tuple[str, str]) -> IOSPython:
        return dataclasses.replace(self.context.python, fingerprints=fingerprints)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


CHANGES: dict[str, Callable[[Case], object]] = {
    "version": lambda case: case.edit("recipe.yaml", '"1.0"', '"1.1"'),
    "spelling of the name": lambda case: case.edit("recipe.yaml", "name: demo", "name: Demo"),
    "environment": lambda case: case.edit("recipe.yaml", "setuptools\n", "setuptools\n  env: {A: b}\n"),
    "requirement": lambda case: case.edit("recipe.yaml", "setuptools\n", "setuptools\n  requires: [cython]\n"),
    "back end": lambda case: case.edit("recipe.yaml", "setuptools", "meson-python"),
    "promise": lambda case: case.edit("extension-modules.txt", "demo._x", "demo._y all\ndemo._x"),
    "patch": lambda case: case.edit("one.patch", "+b\n", "+c\n"),
    "name of the patch": lambda case: case.rename_patch(),
    "licence": lambda case: case.edit("recipe.yaml", "license: MIT", "license: Apache-2.0"),
    "no patch": lambda case: case.edit("recipe.yaml", "  patches: [one.patch]\n", ""),
    "lock": lambda case: case.edit("build-requirements.lock", "# The", "# One\n# The"),
    "source": lambda case: (case.directory / "source" / "new.c").touch(),
    "source's file": lambda case: case.edit("source/backend.py", "first", "second"),
    "toolchain": lambda case: case.change(toolchain=FakeToolchain(Path("/x"), id="toolchain 2")),
    "iOS Python": lambda case: case.change(python=case.ios_python((DEVICE.multiarch, "ios python 2"))),
    "minor version": lambda case: case.change(python=dataclasses.replace(case.context.python, version="3.14.0")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_can_change_the_wheel_changes_the_fingerprint(case: Case, change: str) -> None:
    before = case.key()
    CHANGES[change](case)
    assert case.key() != before


def test_targets_have_fingerprints_of_their_own(case: Case) -> None:
    case.change(python=case.ios_python(*((t.multiarch, "same") for t in (DEVICE, ARM_SIMULATOR))))
    keys = set()
    for case.target in (DEVICE, ARM_SIMULATOR, Target(DEVICE.abi, DEVICE.arch, IOSVersion(13))):
        keys.add(case.key())
    assert len(keys) == 3


def test_targets_share_a_pure_wheel(case: Case) -> None:
    """An iOS Python of one of them is enough to have it."""
    case.make_pure()
    first = case.key()
    case.change(python=case.ios_python((ARM_SIMULATOR.multiarch, "another")))
    for case.target in (ARM_SIMULATOR, Target(ARM_SIMULATOR.abi, ARM_SIMULATOR.arch, IOSVersion(13))):
        assert case.key() == first


def test_all_pythons_share_a_native_library(case: Case) -> None:
    script = TEXT.replace("backend: setuptools", "backend: script\n  script: ['true']")
    script = script.replace("test:\n  imports: [demo]\n", "")
    (case.directory / "extension-modules.txt").unlink()
    (case.directory / "recipe.yaml").write_text(script)

    def key(minor: str) -> str:
        case.change(
            python=case.ios_python((DEVICE.multiarch, minor)), build_python=BuildPython(Path("/x"), minor + ".1")
        )
        return fingerprint(build_inputs(evaluate(read_recipe(case.directory), DEVICE, minor), case.context))

    assert key("3.13") == key("3.14")
    case.edit("recipe.yaml", "backend: script", "requires: [cmake]\n  backend: script")
    assert key("3.13") != key("3.14"), "its tools run in a Python"


NO_CHANGES: dict[str, Callable[[Case], object]] = {
    "nothing": lambda _: None,
    "about": lambda case: case.edit("recipe.yaml", "A demonstration", "Something else"),
    "test": lambda case: case.edit("recipe.yaml", "imports: [demo]", "imports: [demo, demo._x]"),
    "comment": lambda case: case.edit("recipe.yaml", "schema: 2", "# A comment\nschema: 2"),
    "place of the toolchain": lambda case: case.change(toolchain=FakeToolchain(Path("/elsewhere"))),
    "place of the Pythons": lambda case: case.change(
        python=dataclasses.replace(case.context.python, root=Path("/elsewhere")),
        build_python=BuildPython(Path("/elsewhere/python"), case.context.build_python.version),
    ),
    "another target's Python": lambda case: case.change(
        python=case.ios_python(*case.context.python.fingerprints, (ARM_SIMULATOR.multiarch, "new"))
    ),
    "kept work": lambda case: case.change(keep_work=True),
}


@pytest.mark.parametrize("change", NO_CHANGES)
def test_what_cannot_change_the_wheel_does_not(case: Case, change: str) -> None:
    before = case.key()
    NO_CHANGES[change](case)
    assert case.key() == before


def test_what_makes_wheels_imports_nothing_of_rooms_that_the_fingerprint_leaves_out() -> None:
    graph = grimp.build_graph("forge")
    imported = graph.find_upstream_modules("forge.crossbuild.recipe_build")
    rooms = {path.name for path in Path(forge.__file__).parent.iterdir() if (path / "__init__.py").is_file()}
    assert {name.split(".")[1] for name in imported if "." in name} & rooms == rooms - ABOVE
