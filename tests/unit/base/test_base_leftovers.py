"""What killed builds left goes; what is whole, or in use, stays."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from forge.base.atomic import locked
from forge.base.errors import StorageError
from forge.base.leftovers import RESTING, remove_leftovers
from forge.base.paths import ForgeHome

if TYPE_CHECKING:
    from pathlib import Path

LEFT = (
    "builds/demo-1.0.1/source/file",
    "builds/test-abc/file",
    "sources/.abc.x1.part",
    "wheels/ab/.abcd.x2.part/demo.whl",
    "emulate/libcxx/.arm64.x3.part/libc++.1.dylib",
    "pythons/.3.13.x4.old/old/file",
)
WHOLE = (
    "sources/abc",
    "wheels/ab/abcd/demo.whl",
    "wheels/ab/abcd/.hidden",
    "pythons/3.13/lib/.something.part",
    "logs/demo.1.log",
)


@pytest.fixture
def home(tmp_path: Path) -> ForgeHome:
    for name in (*LEFT, *WHOLE):
        path = tmp_path / "home" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for directory, subdirectories, files in os.walk(tmp_path / "home", topdown=False):
        for name in (*subdirectories, *files):
            os.utime(os.path.join(directory, name), (0, 0))  # noqa: PTH118
    return ForgeHome(tmp_path / "home")


def test_leftovers_go_and_the_rest_stays(home: ForgeHome) -> None:
    removed = [path.relative_to(home.root).as_posix() for path in remove_leftovers(home)]
    assert removed == sorted(
        "/".join(name.split("/")[: 3 if "/ab/" in name or "libcxx" in name else 2]) for name in LEFT
    )
    assert not any((home.root / name).exists() for name in LEFT)
    assert all((home.root / name).exists() for name in WHOLE)
    assert remove_leftovers(home) == ()


def test_what_was_written_to_lately_stays(home: ForgeHome) -> None:
    """A test run has no lock."""
    (home.work / "test-abc" / "file").touch()
    file = home.work / "demo-1.0.1" / "source" / "file"
    os.utime(file, (file.stat().st_atime, file.stat().st_mtime + RESTING))
    remove_leftovers(home)
    assert [path.name for path in home.work.iterdir()] == ["test-abc"]


def test_nothing_goes_while_another_process_works(home: ForgeHome) -> None:
    with locked(home.locks, "wheel-abc"), pytest.raises(StorageError, match="holds the lock wheel-abc"):
        remove_leftovers(home)
    assert all((home.root / name).exists() for name in LEFT)
    assert len(remove_leftovers(home)) == len(LEFT)


def test_no_cache_yet(tmp_path: Path) -> None:
    assert remove_leftovers(ForgeHome(tmp_path / "home")) == ()
