"""A forge that is killed at any moment loses nothing: the next run ends right and builds nothing twice.

FORGE_LONG_TESTS kills fifty times; otherwise a few times.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from forge.base.paths import ForgeHome
from forge.plan.wheel_differences import wheel_differences
from tests.integration.budget import need_minutes

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.toolchain

NAMES = ("markupsafe", "lru-dict", "pyyaml")  # pyyaml links libyaml
TARGET = ("--abi", "iphoneos")
KILLS = 50 if os.environ.get("FORGE_LONG_TESTS") else 6


def start(home: Path, out: Path, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "forge", "build", *NAMES, *TARGET, "--out", str(out), *arguments]
    with (home.parent / "log").open("ab") as log:
        return subprocess.Popen(command, env={**os.environ, "FORGE_HOME": str(home)}, stdout=log, stderr=log)


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "forge", *arguments]
    env = {**os.environ, "FORGE_HOME": str(home)}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def entries(home: Path) -> dict[str, int]:
    """The cache's wheels that are there whole, with what tells whether one was made again."""
    return {path.parent.name: path.stat().st_ino for path in (home / "wheels").glob("*/*/build.json")}


def new_home(root: Path) -> Path:
    """A cache that shares downloads with the user's."""
    sources = ForgeHome.from_environment().sources
    sources.mkdir(parents=True, exist_ok=True)
    home = root / "home"
    home.mkdir(parents=True)
    (home / "sources").symlink_to(sources)
    return home


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """The wheels of a run that was left in peace, and how long that took."""
    need_minutes(4, "building three packages")
    root = tmp_path_factory.mktemp("reference")
    began = time.monotonic()
    assert start(new_home(root), root / "dist").wait(timeout=1800) == 0, (root / "log").read_text()
    return root / "dist", time.monotonic() - began


def same(first: Path, second: Path) -> bool:
    names = sorted(path.name for path in first.glob("*.whl"))
    assert names == sorted(path.name for path in second.glob("*.whl"))
    return all(wheel_differences(first / name, second / name) == () for name in names)


def test_killed_at_random_moments(reference: tuple[Path, float], tmp_path: Path) -> None:
    need_minutes(4 * KILLS, f"killing {KILLS} builds")
    wheels, seconds = reference
    chance = random.Random(KILLS)
    killed = number = 0
    while killed < KILLS:
        number += 1
        root = tmp_path / str(number)
        home, out = new_home(root), root / "dist"
        # Several kills a cache: each run goes on from where the last one was killed.
        for _ in range(3):
            process = start(home, out)
            time.sleep(chance.uniform(0.2, seconds * 0.8))
            before = entries(home)
            process.kill()
            if process.wait() == -signal.SIGKILL:
                killed += 1
        assert start(home, out).wait(timeout=1800) == 0, (root / "log").read_text()
        assert same(wheels, out)
        after = entries(home)
        assert {key: after[key] for key in before} == before, "what was finished is not built again"
        assert run(home, "cache", "verify").returncode == 0


def test_two_forges_on_one_graph_build_each_node_once(reference: tuple[Path, float], tmp_path: Path) -> None:
    need_minutes(6, "building three packages twice")
    home = new_home(tmp_path)
    both = [start(home, tmp_path / name, "--json") for name in ("one", "two")]
    assert [process.wait(timeout=1800) for process in both] == [0, 0], (tmp_path / "log").read_text()
    assert same(reference[0], tmp_path / "one")
    assert same(reference[0], tmp_path / "two")
    log = (tmp_path / "log").read_text()
    for name in (*NAMES, "libyaml"):
        assert log.count(f'"subject": "{name} ') > 0
    built = [line for line in log.splitlines() if '"phase": "build"' in line]
    assert len(built) == len(NAMES) + 1, "libyaml and three packages, each in one of the two"


def test_a_bit_flipped_in_any_file_of_the_cache(reference: tuple[Path, float], tmp_path: Path) -> None:
    need_minutes(15, "building three packages again for each file")
    home = new_home(tmp_path)
    assert start(home, tmp_path / "dist").wait(timeout=1800) == 0
    chance = random.Random(1)
    for path in sorted((home / "wheels").rglob("*")):
        if path.suffix not in {".whl", ".json"}:
            continue
        data = bytearray(path.read_bytes())
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(7)
        path.write_bytes(data)
        out = tmp_path / f"again-{path.name}"
        assert start(home, out).wait(timeout=1800) == 0, (tmp_path / "log").read_text()
        assert same(reference[0], out), path
    assert run(home, "cache", "verify").returncode == 0
