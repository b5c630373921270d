"""Three Dask workers on the loopback address, one of which is killed in mid-build: the wheels are a local build's."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.base.paths import ForgeHome
from forge.plan.shared.keys import make_key
from tests.integration.budget import need_minutes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytest.importorskip("distributed")
pytestmark = pytest.mark.toolchain

RECIPES = Path(__file__).parents[3] / "recipes"
BUILD = ("build", "markupsafe", "lru-dict", "pyyaml", "libyaml", "--abi", "iphoneos", "--python", "3.13")
SLOW = "libyaml"
"""What the worker that is killed is building: pyyaml links it."""
SECONDS = 600


def wait_for(condition: Callable[[], bool], what: str, seconds: float = SECONDS) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.05)


class Site:
    """Machines: each has a cache of its own, and all share one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.started: list[subprocess.Popen[bytes]] = []
        self.public = str(make_key("site-1", root / "key.pem"))
        self.recipes = root / "recipes"
        for name in ("markupsafe", "lru-dict", "pyyaml", "libyaml"):
            shutil.copytree(RECIPES / name, self.recipes / name)
        recipe = self.recipes / SLOW / "recipe.yaml"
        text = recipe.read_text()
        recipe.write_text(text.replace("  script:\n", "  script:\n    - sleep 6\n"))
        assert recipe.read_text() != text

    def home(self, machine: str) -> Path:
        home = self.root / machine
        if not home.exists():
            home.mkdir()
            sources = ForgeHome.from_environment().sources
            sources.mkdir(parents=True, exist_ok=True)
            (home / "sources").symlink_to(sources)
        return home

    def environment(self, machine: str, *, writes: bool = False) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FORGE_CACHE")}
        own = {
            "FORGE_HOME": str(self.home(machine)), "FORGE_CONFIG": os.devnull,
            "FORGE_CACHE": str(self.root / "shared"), "FORGE_CACHE_TRUSTED_KEYS": self.public,
        }  # fmt: skip
        return kept | own | ({"FORGE_CACHE_SIGNING_KEY": str(self.root / "key.pem")} if writes else {})

    def start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.root / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *arguments], stdout=log, stderr=log, cwd=self.root,
                env=self.environment(name, writes=True),
            )  # fmt: skip
        self.started.append(process)
        return process

    def forge(self, machine: str, *arguments: str) -> subprocess.Popen[str]:
        options = ("--recipes", str(self.recipes), "--out", str(self.out(machine)))
        return subprocess.Popen(
            [sys.executable, "-m", "forge", *arguments, *options],
            env=self.environment(machine), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.root,
        )  # fmt: skip

    def out(self, machine: str) -> Path:
        return self.root / f"dist-{machine}"

    def built(self, machine: str) -> list[str]:
        """The fingerprints of what a machine has built itself."""
        entries = (self.root / machine / "wheels").glob("*/*/build.json")
        return [entry.parent.name for entry in entries if not (entry.parent / "taken.json").exists()]

    def is_building(self, machine: str, name: str) -> bool:
        return any("sleep" in log.read_text() for log in (self.root / machine / "logs").glob(f"{name}-*.log"))

    def end(self) -> None:
        for process in reversed(self.started):
            if process.poll() is None:
                process.terminate()
        for process in self.started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    try:
        yield made
    finally:
        made.end()


def wheels(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.glob("*.whl")}


def test_a_worker_that_is_killed(site: Site) -> None:
    need_minutes(6, "building four small wheels on four machines")
    file = site.root / "scheduler.json"
    quiet = ("--host", "127.0.0.1", "--no-dashboard", "--dashboard-address", "127.0.0.1:0")
    site.start("scheduler", "scheduler", "--port", "0", "--scheduler-file", str(file), *quiet)
    wait_for(lambda: file.exists() and file.read_text().endswith("}"), "the scheduler", 60)
    address: str = json.loads(file.read_text())["address"]
    assert address.startswith("tcp://127.0.0.1:")
    workers = {
        name: site.start(
            name, "worker", address, "--nthreads", "1", "--no-nanny", "--name", name,
            "--local-directory", str(site.root / "dask"), *quiet,
        )
        for name in ("one", "two", "three")
    }  # fmt: skip
    asking = site.forge("home", *BUILD, "--scheduler", address)
    try:
        wait_for(lambda: any(site.is_building(name, SLOW) for name in workers), f"{SLOW}'s build")
        (victim,) = [name for name in workers if site.is_building(name, SLOW)]
        workers[victim].send_signal(signal.SIGKILL)
        out, err = asking.communicate(timeout=SECONDS)
    finally:
        asking.kill()
        asking.wait()
    assert asking.returncode == 0, err
    assert "Traceback" not in err
    assert len(out.splitlines()) == 4
    assert "(cached)" not in out, "all of it was built for this run"

    built = [fingerprint for name in workers for fingerprint in site.built(name)]
    assert len(built) == len(set(built)) == 4, "each wheel was built, once"
    assert site.built("home") == []
    (lost,) = {entry.parent.name for name in workers for entry in site.home(name).glob(f"wheels/*/*/{SLOW}-*.whl")
               if not (entry.parent / "taken.json").exists()}  # fmt: skip
    assert lost not in site.built(victim), "what was lost was built elsewhere"
    assert any(site.is_building(name, SLOW) for name in workers if name != victim)
    logs = list(site.home("home").glob("wheels/*/*/build.log"))
    assert len(logs) == 4
    assert all(log.stat().st_size for log in logs), "logs came home"

    local = site.forge("local", *BUILD)
    _, err = local.communicate(timeout=SECONDS)
    assert local.returncode == 0, err
    assert wheels(site.out("home")) == wheels(site.out("local"))
