"""A build that fails, is entered, edited, gone on with, patched, and then builds from nothing."""

from __future__ import annotations

import re
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING

import pytest

from forge.base.attempts import remove_tree
from forge.base.paths import ForgeHome
from forge.base.target import Abi, Arch, Target
from forge.crossbuild.kept import KeptBuild, kept_builds
from forge.plan.cache import LatestBuild, read_latest
from forge.recipe.lock import make_lock, read_lock
from forge.recipe.store import find_recipes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.toolchain

DEVICE = Target(Abi.IPHONEOS, Arch.ARM64)

RECIPE = """\
schema: 2
package: {name: forge-enter-test, version: "1.0"}
about: {license: MIT, summary: A module with an error in it}
source:
  path: source # beside it
# Nothing unusual.
build:
  backend: setuptools
  env: {OWN: "of ${arch}"}
"""
PYPROJECT = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "forge-enter-test"
version = "1.0"
"""
SETUP = """\
import os
from setuptools import Extension, setup
print("environment:", *(f"{name}={value!r}" for name, value in sorted(os.environ.items())), sep="\\n  ")
setup(ext_modules=[Extension("enter_test", ["enter_test.c"])])
"""
MODULE = """\
#include <Python.h>

static PyObject *answer(PyObject *self, PyObject *unused)
{
    return PyLong_FromLong(ANSWER);
}

static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "enter_test", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_enter_test(void)
{
    return PyModule_Create(&module);
}
"""
NAME = "forge-enter-test"


class Package:
    """The package, and forge as a person calls it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.recipe = root / "recipes" / NAME
        source = self.recipe / "source"
        source.mkdir(parents=True)
        (self.recipe / "recipe.yaml").write_text(RECIPE)
        for name, text in (("pyproject.toml", PYPROJECT), ("setup.py", SETUP), ("enter_test.c", MODULE)):
            (source / name).write_text(text)
        (source / "run").write_text(uuid.uuid4().hex)  # no build of an earlier run is this one
        pins = read_lock(find_recipes().load("markupsafe").lock_file).pins
        lock = make_lock([(pin.name, pin.version, pin.hashes) for pin in pins], ["setuptools"])
        (self.recipe / "build-requirements.lock").write_text(lock.text())

    def forge(self, *arguments: str, code: int = 0) -> str:
        """What a command prints on both streams."""
        command = [sys.executable, "-m", "forge", *arguments]
        done = subprocess.run(
            command, cwd=self.root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout
        return done.stdout

    def kept(self) -> KeptBuild:
        return kept_builds(ForgeHome.from_environment(), NAME)[0]

    def latest(self) -> LatestBuild | None:
        """The build of it that was put into the cache last."""
        return read_latest(ForgeHome.from_environment(), f"{NAME}-{DEVICE.multiarch}-3.13")


def variables(text: str, pattern: str) -> dict[str, str]:
    found = dict(re.findall(pattern, text, flags=re.MULTILINE))
    # What differs on purpose: the run's job server is gone, and the cross Python is started by pyproject_hooks.
    for name in ("MAKEFLAGS", "TERM", "PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE"):
        found.pop(name, None)
    return {name: value for name, value in found.items() if not name.startswith(("_PYPROJECT", "PEP517"))}


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Package]:
    yield Package(tmp_path)
    for kept in kept_builds(ForgeHome.from_environment(), NAME):
        remove_tree(kept.work)


def test_from_a_failure_to_a_recipe_that_builds(package: Package, tmp_path: Path) -> None:
    before = package.latest()

    said = package.forge("build", NAME, "--abi", "iphoneos", code=8)
    assert "use of undeclared identifier 'ANSWER'" in said
    assert f"forge build {NAME} --continue" in said

    # The shell has the back end's environment, and its compiler fails in the same way.
    said = package.forge("shell", NAME, "--", "env")
    seen = variables(said, r"^(\w+)=(.*)$")
    built = variables(package.kept().log.read_text(), r"^  (\w+)='(.*)'$")
    assert seen["OWN"] == "of arm64"
    assert {name: built.get(name) for name in seen} == seen
    command = package.kept().commands[0]
    assert "'ANSWER'" in package.forge("shell", NAME, "--", "sh", "-c", command, code=1)
    assert "source tree" in package.forge("shell", NAME, "--target", "arm64-iphoneos")

    # A person edits the source.
    module = package.kept().tree / "enter_test.c"
    module.write_text(module.read_text().replace("ANSWER", "42"))
    said = package.forge("build", NAME, "--continue")
    assert "is not in the cache" in said
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    assert wheel.name == f"forge_enter_test-1.0-cp313-cp313-{DEVICE.platform_tag}.whl"
    assert package.latest() == before
    continued = wheel.read_bytes()

    # The edit becomes a patch, without what the build has generated.
    said = package.forge("patch", NAME, "--reason", "The answer is known", "--name", "0001-answer.patch")
    assert "not in the patch" not in said
    assert (package.recipe / "patches" / "0001-answer.patch").read_text() == (
        "The answer is known\n\n--- a/enter_test.c\n+++ b/enter_test.c\n@@ -2,7 +2,7 @@\n \n"
        " static PyObject *answer(PyObject *self, PyObject *unused)\n {\n-    return PyLong_FromLong(ANSWER);\n"
        "+    return PyLong_FromLong(42);\n }\n \n"
        ' static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};\n'
    )
    inserted = "  path: source # beside it\n  patches:\n    - patches/0001-answer.patch\n"
    assert (package.recipe / "recipe.yaml").read_text() == RECIPE.replace("  path: source # beside it\n", inserted)

    # The recipe builds from nothing.
    wheel.unlink()
    package.forge("build", NAME, "--abi", "iphoneos")
    assert package.latest() != before
    assert len(wheel.read_bytes()) == pytest.approx(len(continued), rel=0.1)
    assert "(cached)" in package.forge("build", NAME, "--abi", "iphoneos")
