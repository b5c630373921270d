"""Machines that share a cache, and the places where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.plan import run as run_module
from forge.plan.shared.web import PATIENCE
from forge.source.http import Patience
from tests.unit.plan.shared import Files, Team, WebServer, web_server
from tests.unit.plan.test_plan_run import Builder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def builder(monkeypatch: pytest.MonkeyPatch) -> Builder:
    made = Builder()
    monkeypatch.setattr(run_module, "build_recipe", made)
    monkeypatch.setattr(run_module, "verify_wheel", made.verify)
    return made


@pytest.fixture
def team(tmp_path: Path, builder: Builder, monkeypatch: pytest.MonkeyPatch) -> Team:
    return Team(tmp_path, monkeypatch)


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    quick = Patience(connect=2, read=2, attempts=PATIENCE.attempts, backoff=0.0)
    monkeypatch.setattr("forge.plan.shared.web.WebPlace.__init__.__defaults__", (quick,))
    with web_server() as running:
        yield running


@pytest.fixture(params=["directory", "web"])
def shared(request: pytest.FixtureRequest, team: Team, tmp_path: Path) -> Files:
    """A place that is configured."""
    if request.param == "directory":
        team.place(tmp_path / "shared")
        return Files(tmp_path / "shared", None)
    web: WebServer = request.getfixturevalue("web")
    team.place(web.url)
    return Files(tmp_path, web)
