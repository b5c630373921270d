"""Wheels of the recipes, built for real (or taken from the cache) once a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.base.target import Target, select_targets
from forge.plan.builds import build_one
from forge.plan.cache import entry_directory
from forge.plan.provision import ensure_context
from forge.recipe.store import find_recipes
from tests.integration.budget import need_wheels
from tests.integration.targets import skip_if_large

if TYPE_CHECKING:
    from pathlib import Path

    from forge.crossbuild.context import BuildContext
    from forge.plan.run import Result

collect_ignore = ["rust-apple-probe"]
"""A recipe for test_apple_frameworks.py: its tests are for an iOS Python."""

ROOT_MODULES = {"markupsafe": "markupsafe", "lru-dict": "lru", "multidict": "multidict", "numpy": "numpy"}


@dataclass(frozen=True)
class Forge:
    """Builds what a test asks for, and puts every wheel into one directory."""

    context: BuildContext
    out: Path

    def build(self, name: str, target: Target) -> Result:
        skip_if_large(name, target)
        store = find_recipes()
        need_wheels([name], target, self.context, store)
        return build_one(store.load(name), target, self.context, store, self.out, SilentProgress())

    def log(self, result: Result) -> str:
        """The whole log of the build that made a result."""
        path = entry_directory(self.context.home, result.fingerprint) / "build.log"
        return path.read_text(encoding="utf-8", errors="replace")


@pytest.fixture(scope="session")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Forge:
    context = ensure_context(ForgeHome.from_environment(), "3.13", select_targets(), SilentProgress())
    return Forge(context, tmp_path_factory.mktemp("dist"))


@pytest.fixture(params=select_targets(), ids=str)
def target(request: pytest.FixtureRequest) -> Target:
    chosen: Target = request.param
    return chosen
