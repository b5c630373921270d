"""A package whose back end is a few lines, its recipe, and what forge builds it with instead of a toolchain."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.paths import ForgeHome
from forge.crossbuild.context import BuildContext
from forge.crossbuild.cross_environment import CrossEnvironment
from forge.ios_python.build_python import BuildPython
from forge.ios_python.model import IOSPython
from forge.recipe.lock import BuildLock
from tests.unit.ios_python.fakes import DEVICE, VERSION, make_toolchain
from tests.unit.macho.builder import macho
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forge.base.target import Target

MODULE = "demo/_x.cpython-313-iphoneos.so"
WHEEL = f"demo-1.0-cp313-cp313-{DEVICE.platform_tag}.whl"

BACKEND = """\
import os, pathlib, shutil, sys, time

HERE = pathlib.Path(__file__).parent

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    print("the back end's first words")
    {body}
    (wheel,) = HERE.glob("*.whl")
    return os.path.basename(shutil.copy(wheel, wheel_directory))
"""

PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

RECIPE = """\
schema: 2
package:
  name: demo
  version: "1.0"
source:
  path: source
build:
  backend: setuptools
"""

TABLE = "demo._x  all\n"
"""What is beside it: the wheel's extension modules."""

PURE = RECIPE + "wheel: {native: false}\n"
"""A package without compiled code."""

VARIANT = RECIPE.replace("setuptools\n", "setuptools\n  env: {WAY: {value: fast, when: {variant: fast}}}\n") + (
    "variants: {fast: {summary: Another way, ios_version: '>=16.4'}}\n"
)
"""The same with another way to build it, from iOS 16.4 on."""


def write_source(tree: Path, body: str = "pass", files: Mapping[str, bytes] | None = None, **wheel: str) -> Path:
    """A source tree whose back end runs *body*, then gives out a wheel that is in the tree already."""
    tree.mkdir(parents=True)
    (tree / "pyproject.toml").write_text(PYPROJECT)
    (tree / "backend.py").write_text(BACKEND.replace("{body}", body))
    contents = {MODULE: macho(exports=("_PyInit__x",))} if files is None else files
    make_wheel(tree, {"demo/__init__.py": b"", **contents}, name="demo", **wheel)  # type: ignore[arg-type]  # its fields
    return tree


def write_recipe(
    recipes: Path,
    body: str = "pass",
    *,
    text: str = RECIPE,
    files: Mapping[str, bytes] | None = None,
    lock: bool = True,
    **wheel: str,
) -> Path:
    """The recipe ``demo`` in a directory of recipes; the recipe's directory."""
    directory = recipes / "demo"
    directory.mkdir(parents=True)
    (directory / "recipe.yaml").write_text(text)
    if "native: false" not in text and "  script:" not in text:
        (directory / "extension-modules.txt").write_text(TABLE)
    if lock:
        (directory / "build-requirements.lock").write_text(BuildLock((), ()).text())
    write_source(directory / "source", body, files, **wheel)
    return directory


def make_context(root: Path, target: Target = DEVICE) -> BuildContext:
    """Toolchain and Pythons that are names only."""
    return BuildContext(
        home=ForgeHome(root / "home"),
        toolchain=make_toolchain(root / "toolchain"),
        python=IOSPython(root / "Python.xcframework", VERSION, (target,), ((target.multiarch, "ios python 1"),)),
        build_python=BuildPython(Path(sys.executable), VERSION),
    )


def no_cross_environment(home: ForgeHome, *_: object) -> CrossEnvironment:
    """In place of ``ensure_cross_environment``: back ends run in the Python that runs the tests."""
    python = Path(sys.executable)
    return CrossEnvironment(home.root / "cross", python, python, home.root / "wrappers")
