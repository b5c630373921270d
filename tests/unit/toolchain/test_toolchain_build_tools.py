"""The directory of links that builds have for a PATH: named tools, and nothing that happens to be installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from forge.base.hashing import file_sha256
from forge.toolchain import build_tools
from forge.toolchain.build_tools import TOOLS, UTILITIES, find_tool, tools_identity, tools_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="a Mac's /usr/bin is on PATH as it is")


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A /usr/bin with make, sed and things that builds must not see."""
    directory = tmp_path / "usr-bin"
    directory.mkdir()
    for name in ("make", "sed", "cmake", "git", "cargo", "python3"):
        (directory / name).write_text(f"#!/bin/sh\necho the {name} of this machine\n")
        (directory / name).chmod(0o755)
    monkeypatch.setattr(build_tools, "SYSTEM_PATH", (str(directory),))
    for function in (build_tools._located, build_tools._identities):
        function.cache_clear()
    yield directory
    for function in (build_tools._located, build_tools._identities):
        function.cache_clear()


def test_named_tools_are_there_and_nothing_else(system: Path, tmp_path: Path) -> None:
    (path,) = tools_path(tmp_path / "tools")
    assert sorted(link.name for link in path.iterdir()) == ["make", "sed"]
    done = subprocess.run(["make"], env={"PATH": str(path)}, capture_output=True, text=True, check=True)
    assert done.stdout == "the make of this machine\n"
    assert tools_path(tmp_path / "tools") == (path,), "again"


def test_what_is_found_by_luck_is_not_found(tmp_path: Path) -> None:
    """With the machine's real programs: whatever is installed here."""
    (path,) = tools_path(tmp_path / "tools")
    for name in ("cmake", "ninja", "git", "cargo", "rustc", "python3", "pip", "curl", "wget", "gfortran", "clang"):
        assert shutil.which(name, path=str(path)) is None, name
    assert shutil.which("sh", path=str(path))


def test_the_users_own_path_is_not_asked(system: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "perl").write_text("#!/bin/sh\n")
    (own / "perl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{own}{os.pathsep}{os.environ['PATH']}")
    assert find_tool("perl") is None
    assert find_tool("make") == system / "make"


def test_another_make_is_another_identity(system: Path) -> None:
    before = tools_identity()
    assert before == {"make": file_sha256(system / "make")}, "utilities do not count, nor what is not linked"
    (system / "make").write_text("#!/bin/sh\necho another\n")
    build_tools._identities.cache_clear()
    assert tools_identity() != before


def test_no_name_is_in_both_lists() -> None:
    assert not set(TOOLS) & set(UTILITIES)
    assert len({*TOOLS, *UTILITIES}) == len(TOOLS) + len(UTILITIES)
