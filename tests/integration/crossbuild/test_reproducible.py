"""The same wheel, bit for bit, from another cache, directory, time, umask, locale, home and number of jobs."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from forge.base.paths import ForgeHome
from forge.plan.wheel_differences import wheel_differences
from forge.recipe.store import find_recipes
from tests.integration.budget import BUILDS, need_minutes

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.toolchain

RECIPES = ["markupsafe", "greenlet", "frozenlist", "pyyaml", "editdistance"]
"""C, C++, Cython with an in-tree back end, one that links a native library, and one linked in a temporary directory."""
if os.environ.get("FORGE_LONG_TESTS"):  # all of them: native libraries are built along
    RECIPES += sorted(set(find_recipes().names()) - set(RECIPES))

TARGET = ("--abi", "iphoneos")


def forge(home: Path, *arguments: str, umask: int = 0o022, **environment: str) -> None:
    env = {**os.environ, "FORGE_HOME": str(home), **environment}
    done = subprocess.run(
        [sys.executable, "-m", "forge", *arguments], env=env, umask=umask, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two caches that share downloads alone: SDK, Pythons and environments are made in each."""
    sources = ForgeHome.from_environment().sources
    sources.mkdir(parents=True, exist_ok=True)
    root = tmp_path_factory.mktemp("caches")
    found = (root / "a", root / "another" / "cache-with-a-longer-name")
    for home in found:
        home.mkdir(parents=True)
        (home / "sources").symlink_to(sources)
    return found


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_twice(name: str, homes: tuple[Path, Path], tmp_path: Path) -> None:
    need_minutes(3 + 2 * BUILDS.get(name, 1), f"building {name} twice")
    elsewhere = tmp_path / "somebody else's"
    elsewhere.mkdir()
    forge(homes[0], "build", name, *TARGET, "--out", str(tmp_path / "one"))
    forge(
        homes[1], "build", name, *TARGET, "--out", str(elsewhere / "two"), "--jobs", "1",
        umask=0o077, HOME=str(elsewhere), USER="somebody", LOGNAME="somebody", LANG="tr_TR.UTF-8", LC_ALL="C.UTF-8",
        TZ="Pacific/Kiritimati", TMPDIR=str(elsewhere), SOURCE_DATE_EPOCH="1", PYTHONHASHSEED="7",
    )  # fmt: skip
    wheels = sorted((tmp_path / "one").glob("*.whl"))
    assert any(wheel.name.startswith(f"{name.replace('-', '_')}-") for wheel in wheels)
    for wheel in wheels:  # and what it requires
        assert wheel_differences(wheel, elsewhere / "two" / wheel.name) == ()


def test_forge_rebuild(homes: tuple[Path, Path], tmp_path: Path) -> None:
    forge(homes[0], "build", "markupsafe", *TARGET, "--out", str(tmp_path))
    (wheel,) = tmp_path.glob("*.whl")
    forge(homes[0], "rebuild", str(wheel))
    forge(homes[0], "challenge", "--jobs", "1")
