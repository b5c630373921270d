"""FORGE_MIRROR: asked first, by name, by hash and through SHA256SUMS; the hash decides."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import NetworkError, SourceError
from forge.source.fetch import fetch
from forge.source.model import SdistSource, UrlSource
from tests.unit.source.conftest import QUICK, Recorder, Server

if TYPE_CHECKING:
    from pathlib import Path

    from forge.base.paths import ForgeHome

CONTENT = b"an archive"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def get(home: ForgeHome, server: Server, progress: Recorder | None = None) -> Path:
    source = UrlSource((f"{server.url}/upstream/lib-1.0.tar.gz",), SHA256)
    return fetch(source, home, progress or Recorder(), patience=QUICK)


@pytest.mark.parametrize("name", ["lib-1.0.tar.gz", SHA256])
def test_a_directory_is_asked_before_the_network(
    home: ForgeHome, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name).write_bytes(CONTENT)
    monkeypatch.setenv("FORGE_MIRROR", str(tmp_path))
    found = get(home, server)
    assert found.read_bytes() == CONTENT
    assert found.name == "lib-1.0.tar.gz"
    assert not server.asked


def test_a_directory_s_sums_give_other_names(
    home: ForgeHome, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lib_1.0.orig.tar.gz").write_bytes(CONTENT)
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  other\n{SHA256} *lib_1.0.orig.tar.gz\n")
    monkeypatch.setenv("FORGE_MIRROR", str(tmp_path))
    assert get(home, server).read_bytes() == CONTENT
    assert not server.asked


def test_a_server_is_asked_by_name_and_by_hash(
    home: ForgeHome, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put(f"/mirror/{SHA256}", CONTENT)
    monkeypatch.setenv("FORGE_MIRROR", f"{server.url}/mirror/")
    assert get(home, server).name == "lib-1.0.tar.gz"
    assert server.asked == ["/mirror/lib-1.0.tar.gz", f"/mirror/{SHA256}"]


def test_another_file_of_that_name_is_passed_over(
    home: ForgeHome, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lib-1.0.tar.gz").write_bytes(b"something else")
    server.put("/upstream/lib-1.0.tar.gz", CONTENT)
    monkeypatch.setenv("FORGE_MIRROR", str(tmp_path))
    progress = Recorder()
    assert get(home, server, progress).read_bytes() == CONTENT
    assert len(progress.notes) == 1
    assert progress.notes[0].endswith(f"lib-1.0.tar.gz is another file; its sha256 is not {SHA256}")


def test_mirrors_are_asked_in_order(
    home: ForgeHome, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spaced = tmp_path / "a directory"
    spaced.mkdir()
    (spaced / SHA256).write_bytes(CONTENT)
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("FORGE_MIRROR", f"{empty}  {spaced.as_uri()}")
    assert get(home, server).read_bytes() == CONTENT
    assert not server.asked


@pytest.mark.parametrize("name", ["De_Mo-1.0.tar.gz", "de_mo-1.0.zip"])
def test_an_sdist_is_found_too(home: ForgeHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / name).write_bytes(CONTENT)
    monkeypatch.setenv("FORGE_MIRROR", str(tmp_path))
    found = fetch(SdistSource("De_Mo", "1.0", SHA256), home, Recorder(), patience=QUICK)
    assert found.name == name


@pytest.mark.parametrize("value", ["/nowhere/at-all", "ftp://host/files", "s3://bucket"])
def test_a_mirror_that_cannot_be_asked_is_an_error(
    home: ForgeHome, server: Server, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("FORGE_MIRROR", value)
    with pytest.raises(SourceError, match=r"FORGE_MIRROR"):
        get(home, server)


def test_nothing_anywhere_names_what_was_tried(
    home: ForgeHome, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORGE_MIRROR", str(tmp_path))
    with pytest.raises(NetworkError, match=r"upstream/lib-1\.0\.tar\.gz"):
        get(home, server)
