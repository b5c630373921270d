"""A second machine takes from the shared cache what the first has built: no compiler runs, nothing is prepared."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from forge.base.paths import ForgeHome
from forge.plan.wheel_differences import wheel_differences
from tests.integration.budget import need_minutes

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.toolchain

NAMES = ("pyyaml", "markupsafe")  # pyyaml links libyaml


class Machine:
    """A cache of its own, and commands with it."""

    def __init__(self, root: Path, **variables: str) -> None:
        self.root = root
        self.home = root / "home"
        self.home.mkdir(parents=True)
        self.env = {**os.environ, "FORGE_HOME": str(self.home), **variables}

    def share_downloads(self) -> None:
        sources = ForgeHome.from_environment().sources
        sources.mkdir(parents=True, exist_ok=True)
        (self.home / "sources").symlink_to(sources)

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "forge", *arguments]
        return subprocess.run(command, env=self.env, cwd=self.root, capture_output=True, text=True, check=False)


def test_wheels_are_taken(tmp_path: Path) -> None:
    need_minutes(3, "building pyyaml and markupsafe")
    key = tmp_path / "team.pem"
    public = Machine(tmp_path / "keys")("cache", "key", "--name", "team", "--out", str(key)).stdout.strip()
    place = tmp_path / "shared"
    place.mkdir()
    shared = {"FORGE_CACHE": str(place), "FORGE_CACHE_TRUSTED_KEYS": public}
    first = Machine(tmp_path / "first", **shared, FORGE_CACHE_SIGNING_KEY=str(key))
    first.share_downloads()
    build = ("build", *NAMES, "--abi", "iphoneos", "--out", "dist")
    done = first(*build, "--cache", "write")
    assert done.returncode == 0, done.stderr

    second = Machine(tmp_path / "second", **shared)
    plan = second("plan", *NAMES, "--abi", "iphoneos")
    assert plan.stdout.splitlines()[-1] == "0 to build, 0 in the cache, 3 in the shared cache", plan.stderr
    done = second(*build)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("taken from the shared cache") == 3
    wheels = sorted(path.name for path in (first.root / "dist").iterdir())
    assert len(wheels) == 2
    for name in wheels:
        assert wheel_differences(first.root / "dist" / name, second.root / "dist" / name) == ()
    made = {path.name for path in second.home.iterdir()}
    assert not made & {"toolchains", "pythons", "build-pythons", "sources", "builds"}, "nothing was prepared"

    stranger = Machine(tmp_path / "stranger", **{**shared, "FORGE_CACHE_TRUSTED_KEYS": public.replace("team:", "x:")})
    refused = stranger(*build, "--cache", "only")
    assert refused.returncode == 12
    assert "error[cache]" in refused.stderr
