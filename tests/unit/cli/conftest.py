from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from forge.cli import build as build_command
from forge.cli import one_build
from forge.cli import test as trial_command
from forge.crossbuild import recipe_build
from forge.plan import asked as asked_plan
from tests.unit.cli.runner import Forge
from tests.unit.crossbuild.fakes import make_context, no_cross_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """forge sets handlers, for its process; this one is pytest's."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def forge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Forge:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORGE_HOME", str(tmp_path / "home"))
    for name in (
        "FORGE_RECIPES",
        "FORGE_LLVM",
        "FORGE_BUILD_PYTHON",
        "GITHUB_ACTIONS",
        "FORCE_COLOR",
        "TTY_COMPATIBLE",
        "COLUMNS",
    ):
        monkeypatch.delenv(name, raising=False)
    for name in ("FORGE_CACHE", "FORGE_CACHE_MODE", "FORGE_CACHE_TRUSTED_KEYS", "FORGE_CACHE_SIGNING_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("FORGE_INDEX_TRUSTED_KEYS", "FORGE_INDEX_SIGNING_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FORGE_CONFIG", os.devnull)
    return Forge(tmp_path, capsys)


@pytest.fixture
def no_toolchain(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    """``forge build`` builds for real, but with the Python that runs the tests and no compiler."""
    for module in (build_command, asked_plan):
        monkeypatch.setattr(module, "plan_context", lambda *_: make_context(forge.root))
    for command in (one_build, trial_command):
        monkeypatch.setattr(command, "ensure_context", lambda *_: make_context(forge.root))
    monkeypatch.setattr(recipe_build, "ensure_cross_environment", no_cross_environment)
