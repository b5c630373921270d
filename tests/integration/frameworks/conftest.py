"""Trees of frameworks from real wheels: pillow's as its maintainers publish them, numpy's as forge builds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.base.target import Arch, select_targets
from forge.frameworks.make import Made, make_frameworks
from forge.frameworks.options import Options
from forge.ios_python.build_python import ensure_build_python
from forge.plan.builds import build_one
from forge.plan.provision import ensure_context
from forge.recipe.store import find_recipes
from tests.integration.publications import published_wheel

if TYPE_CHECKING:
    from pathlib import Path

PILLOW = "13.0.0"


@pytest.fixture(scope="session")
def build_python() -> Path:
    """A Python of the minor version that the wheels are for, which runs here."""
    home = ForgeHome.from_environment()
    return ensure_build_python(home, "3.13", SilentProgress()).executable


@pytest.fixture(scope="session")
def pillow(tmp_path_factory: pytest.TempPathFactory) -> Made:
    root = tmp_path_factory.mktemp("pillow")
    for target in select_targets():
        assert published_wheel("pillow", PILLOW, (f"ios_13_0_{target.arch}_{target.abi}",), root / str(target))
    return _made(root, Options(bundle_id="com.example.app", xcframeworks=True))


@pytest.fixture(scope="session")
def numpy(tmp_path_factory: pytest.TempPathFactory) -> Made:
    root = tmp_path_factory.mktemp("numpy")
    context = ensure_context(ForgeHome.from_environment(), "3.13", select_targets(), SilentProgress())
    store = find_recipes()
    for target in select_targets():
        build_one(store.load("numpy"), target, context, store, root, SilentProgress())
    # numpy/__config__.py names the CPU that the wheel was built for.
    return _made(root, Options(bundle_id="com.example.app", xcframeworks=True, prefer=Arch.ARM64))


def _made(root: Path, options: Options) -> Made:
    return make_frameworks(sorted(root.rglob("*.whl")), root / "out", options)
