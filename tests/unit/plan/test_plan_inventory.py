"""What the cache has, is verified, and made smaller."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.base.atomic import locked
from forge.base.errors import StorageError, WheelError
from forge.base.hashing import fingerprint
from forge.base.paths import ForgeHome
from forge.plan.cache import LatestBuild, entry_directory, find_wheel, mark_used, new_entry, write_latest
from forge.plan.in_use import alone, in_use
from forge.plan.inventory import find_stored, room_sizes, stored_wheels, tree_size, verify_wheels
from forge.plan.prune import prune

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME = "demo-1.0-cp313-cp313-ios_12_0_arm64_iphoneos.whl"
SIZE = 100_000


@pytest.fixture
def home(tmp_path: Path) -> ForgeHome:
    return ForgeHome(tmp_path / "home")


def store(home: ForgeHome, number: int, *, used: float = 1e9, latest: str = "") -> str:
    recipe = {"name": "demo", "version": "1.0", "target": ["iphoneos", "arm64", "12.0"], "python": "3.13"}
    inputs = {"recipe": {**recipe, "env": {"N": str(number)}}}
    key = fingerprint(inputs)
    with new_entry(home, key, inputs) as entry:
        (entry / NAME).write_bytes(bytes([number]) * SIZE)
    os.utime(entry_directory(home, key) / "build.json", (used, used))
    if latest:
        write_latest(home, latest, LatestBuild(key, 1.0))
    return key


def keys(home: ForgeHome) -> set[str]:
    return {wheel.fingerprint for wheel in stored_wheels(home)}


def file(path: Path, used: float = 1e9, size: int = SIZE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path.parent, (used, used))
    return path


def test_what_a_wheel_is(home: ForgeHome) -> None:
    assert stored_wheels(home) == ()
    key = store(home, 1, latest="demo-arm64-iphoneos-3.13")
    (wheel,) = stored_wheels(home)
    assert (wheel.name, wheel.version, wheel.target, wheel.python) == ("demo", "1.0", "arm64-iphoneos", "3.13")
    assert (wheel.fingerprint, wheel.latest(home), wheel.filename) == (key, key, NAME)
    assert wheel.size > SIZE
    assert stored_wheels(home, ["Demo"]) == (wheel,)
    assert stored_wheels(home, ["other"]) == ()
    assert room_sizes(home)["wheels"] == wheel.size


def test_an_entry_without_inputs_is_named_after_its_file(home: ForgeHome) -> None:
    with new_entry(home, "ab" * 32, {}) as entry:
        (entry / NAME).write_bytes(b"")
    (wheel,) = stored_wheels(home)
    assert (wheel.name, wheel.version, wheel.target, wheel.python) == ("demo", "1.0", "any", "any")


def test_which_wheel_is_meant(home: ForgeHome, tmp_path: Path) -> None:
    one, two = store(home, 1), store(home, 2)
    assert find_stored(home, one[:10]).fingerprint == one
    (tmp_path / NAME).write_bytes(b"\2" * SIZE)
    assert find_stored(home, str(tmp_path / NAME)).fingerprint == two
    with pytest.raises(WheelError, match="several wheels"):
        find_stored(home, NAME)
    for which in ("", "zz", "other-1.0-py3-none-any.whl"):
        with pytest.raises(WheelError, match="has no wheel"):
            find_stored(home, which)


def test_damaged_wheels_are_found_and_removed(home: ForgeHome) -> None:
    good, bad, worse = store(home, 1), store(home, 2), store(home, 3)
    (entry_directory(home, bad) / NAME).write_bytes(b"damaged")
    (entry_directory(home, worse) / "build.json").unlink()
    found = verify_wheels(home)
    assert (found.whole, found.busy) == (1, 0)
    assert set(found.damaged) == {entry_directory(home, key) for key in (bad, worse)}
    assert keys(home) == {good}
    assert not entry_directory(home, worse).exists()
    assert verify_wheels(home).damaged == ()


def test_an_entry_that_somebody_makes_is_passed_over(home: ForgeHome) -> None:
    key = store(home, 1)
    (entry_directory(home, key) / NAME).write_bytes(b"damaged")
    with locked(home.locks, f"wheel-{key[:32]}"):
        assert verify_wheels(home).busy == 1
    assert entry_directory(home, key).exists()


def test_nothing_is_removed_from_a_cache_that_is_small_enough(home: ForgeHome) -> None:
    store(home, 1)
    done = prune(home, 10 * SIZE)
    assert (done.removed, done.before) == ((), done.after)
    assert len(keys(home)) == 1


def test_in_which_order(home: ForgeHome) -> None:
    old = store(home, 1, used=3e8)
    older_but_used = store(home, 2, used=4e8)
    latest = store(home, 3, used=1e8, latest="demo-arm64-iphoneos-3.13")
    latest_used = store(home, 4, used=2e8, latest="other-arm64-iphoneos-3.13")
    source = file(home.sources / "ab" / ("ab" * 32) / "a.tar.gz", 1e8)
    cross = file(home.build_pythons / "cross-x.1" / "f", 2e8)
    toolchain = file(home.toolchains / "sdk" / "f", 3e8)
    kept = [file(home.pythons / "official" / "p" / "f"), file(home.build_pythons / "3.14" / "f")]
    left: list[Iterable[object]] = []
    size = tree_size(home.root)
    for _ in range(7):
        size = prune(home, size - 1).after
        there = [path for path in (source, cross, toolchain, *kept) if path.exists()]
        left.append([*sorted(keys(home)), *there])
    everything = [old, older_but_used, source, cross, toolchain, latest, latest_used, *kept]
    wheels = {old, older_but_used, latest, latest_used}
    for number, found in enumerate(left, start=1):
        expected = everything[number:]
        assert found == [*sorted(e for e in expected if e in wheels), *(e for e in expected if e not in wheels)]
    assert prune(home, 0).removed == (), "nothing else may go"
    assert all(path.exists() for path in kept)


def test_use_is_kept(home: ForgeHome) -> None:
    one, two = store(home, 1, used=1e8), store(home, 2, used=2e8)
    cached = find_wheel(home, one)
    assert cached is not None
    mark_used(cached)
    prune(home, tree_size(home.root) - 1)
    assert keys(home) == {one}, two


def test_nothing_is_pruned_while_another_forge_runs(home: ForgeHome) -> None:
    store(home, 1)
    code = (
        "import sys; from pathlib import Path; from forge.base.paths import ForgeHome\n"
        "from forge.plan.in_use import in_use\n"
        "with in_use(ForgeHome(Path(sys.argv[1]))): print('in', flush=True); sys.stdin.readline()"
    )
    checkout = str(Path(__file__).parents[3])
    with subprocess.Popen(
        [sys.executable, "-c", code, str(home.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": checkout},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "in\n"
        with pytest.raises(StorageError, match="another forge process is using the cache"):
            prune(home, 0)
        process.communicate("\n", timeout=20)
    assert len(prune(home, 0).removed) == 1


def test_nothing_is_pruned_while_something_is_made(home: ForgeHome) -> None:
    store(home, 1)
    with locked(home.locks, "toolchain-x"), pytest.raises(StorageError, match="another forge process"):
        prune(home, 0)
    assert len(keys(home)) == 1


def test_a_run_waits_for_pruning(home: ForgeHome) -> None:
    began = threading.Event()

    def run() -> None:
        with in_use(home):
            began.set()

    thread = threading.Thread(target=run)
    with alone(home):
        thread.start()
        assert not began.wait(0.1)
    thread.join(20)
    assert began.is_set()


def test_several_runs_at_once(home: ForgeHome) -> None:
    with in_use(home), in_use(home):
        pass
