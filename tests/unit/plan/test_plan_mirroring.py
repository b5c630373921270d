"""``forge fetch``: what is put into a directory, and what is not put there twice."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from forge.base.paths import ForgeHome
from forge.plan import mirroring
from forge.plan.mirroring import fill
from forge.source.mirror import candidates
from tests.unit.ios_python.fakes import Recorder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What is pinned, in order; pip downloads ``tool-1.0``."""
    found: list[Path] = []
    for directory, name in (("a", "1.0.tar.gz"), ("b", "1.0.tar.gz"), ("c", "headers.deb")):
        (tmp_path / directory).mkdir()
        found.append(tmp_path / directory / name)
        found[-1].write_text(directory)
    monkeypatch.setattr(mirroring, "_pinned_files", lambda *_: found)
    monkeypatch.setattr(mirroring, "ensure_tools", lambda *_: None)

    def download(tools: object, python: object, lock: Path, into: Path, *, log: Path) -> tuple[Path, ...]:
        (into / "tool-1.0-py3-none-any.whl").write_text("tool")
        return (into / "tool-1.0-py3-none-any.whl",)

    monkeypatch.setattr(mirroring, "download_locked", download)
    return found


def test_what_is_put_there(tmp_path: Path, files: list[Path]) -> None:
    into, home = tmp_path / "new" / "mirror", ForgeHome(tmp_path / "home")
    python: Any = cast("Any", SimpleNamespace(minor="3.13", executable=tmp_path / "python"))
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    added = fill(into, [], [python], home, Recorder())
    assert [path.name for path in added.new] == ["1.0.tar.gz", hashes[1], "headers.deb", "tool-1.0-py3-none-any.whl"]
    assert added.present == ()
    assert added.size == len("abctool")
    for path, sha256 in zip(files, hashes, strict=True):
        found = candidates(str(into), sha256, ["another-name.tar.gz"])
        assert found, "by its hash, whatever it is called"
        assert path.read_bytes() == (into / found[0].rpartition("/")[2]).read_bytes()


def test_nothing_twice_and_nothing_lost(tmp_path: Path, files: list[Path]) -> None:
    into, home = tmp_path / "mirror", ForgeHome(tmp_path / "home")
    into.mkdir()
    (into / "mine.txt").write_text("mine")
    (into / "renamed").write_bytes(files[0].read_bytes())
    python: Any = cast("Any", SimpleNamespace(minor="3.13", executable=tmp_path / "python"))
    first = fill(into, [], [python], home, Recorder())
    assert [path.name for path in first.present] == ["renamed"]
    before = {path.name: path.read_bytes() for path in into.iterdir()}
    second = fill(into, [], [python], home, Recorder())
    assert second.new == ()
    assert {path.name: path.read_bytes() for path in into.iterdir()} == before
    assert before["mine.txt"] == b"mine"
