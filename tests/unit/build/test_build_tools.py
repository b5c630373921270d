from __future__ import annotations

from pathlib import Path

import pytest

from forge.base.paths import ForgeHome
from forge.build.resolve import resolve_lock
from forge.build.tools import TOOLS_LOCK, pip_environment
from forge.ios_python.build_python import BuildPython
from forge.recipe.lock import read_lock


def test_pip_is_configured_as_the_users_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example.org/simple")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.org")
    environment = pip_environment()
    assert environment["PIP_INDEX_URL"] == "https://index.example.org/simple"
    assert environment["HTTPS_PROXY"] == "http://proxy.example.org"


@pytest.mark.parametrize("name", ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"])
def test_what_makes_a_python_behave_otherwise_is_hidden(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "/somewhere")
    assert name not in pip_environment()


def test_the_tools_are_pinned_with_hashes() -> None:
    lock = read_lock(TOOLS_LOCK)
    assert {"pip", "crossenv"} <= {pin.name for pin in lock.pins}


def test_nothing_required_is_nothing_to_resolve(tmp_path: Path) -> None:
    lock = resolve_lock(ForgeHome(tmp_path / "home"), (), BuildPython(Path("/nowhere/python"), "3.13.5"))
    assert (lock.requires, lock.pins) == ((), ())
    assert not (tmp_path / "home").exists()
