"""What can be wrong with the place of a shared cache: its server, its disk, the connection."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest

from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.plan.shared import cache as cache_module
from forge.plan.shared.cache import SharedCache
from forge.plan.shared.config import read_settings
from forge.plan.shared.web import PATIENCE
from tests.unit.full_places import fill
from tests.unit.plan.shared import TAKEN, Files, Team, WebServer, left, notes

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("start", ["/cache/ac/", "/cache/cas/"])
def test_a_connection_that_is_cut(team: Team, web: WebServer, start: str) -> None:
    team.place(web.url)
    team.build("one", "write")
    web.cut = start
    result, said = team.build("two")
    (note,) = notes(said)
    assert "it is not asked again in this run" in note
    assert result.built
    assert left(team.root) == []
    assert sum(request.startswith(f"GET {start}") for request in web.requests[-3:]) == PATIENCE.attempts


@pytest.mark.parametrize("status", [500, 503, 401, 403])
def test_a_server_that_fails(team: Team, web: WebServer, status: int) -> None:
    team.place(web.url)
    web.status = {"GET": status}
    result, said = team.build("two")
    assert f"failed: HTTP {status}" in notes(said)[0]
    assert result.built


def test_no_server(team: Team, web: WebServer) -> None:
    team.place("http://127.0.0.1:1/cache")
    result, said = team.build("two", "write")
    assert result.built
    assert "failed" in notes(said)[0]
    assert any("cannot be uploaded to the shared cache http://127.0.0.1:1/cache" in line for line in said)
    assert said[-1] == "shared cache: 1 wheel could not be uploaded to http://127.0.0.1:1/cache"


@pytest.mark.parametrize("status", [403, 405, 500, 507])
def test_a_server_that_takes_no_uploads(team: Team, web: WebServer, status: int) -> None:
    team.place(web.url)
    web.status = {"PUT": status}
    result, said = team.build("one", "write")
    assert result.built
    assert any(f"cannot be uploaded to the shared cache {web.url}: HTTP {status}" in line for line in said)
    assert web.files == {}


def test_the_manifest_is_put_last(team: Team, web: WebServer) -> None:
    team.place(web.url)
    team.build("one", "write")
    assert [line.split("/")[2] for line in web.requests if line.startswith("PUT")] == ["cas", "cas", "ac"]


def test_user_and_password_are_sent_but_not_shown(team: Team, web: WebServer) -> None:
    team.place(web.url.replace("http://", "http://me:secret@"))
    web.status = {"PUT": 403}
    _, said = team.build("one", "write")
    assert all(headers["Authorization"].startswith("Basic ") for headers in web.headers)
    assert "secret" not in "".join(said)


def test_a_full_disk_of_the_shared_cache(team: Team, tmp_path: Path) -> None:
    team.place(tmp_path / "shared")
    fill(team.monkeypatch)
    result, said = team.build("one", "write")
    assert result.built
    assert any(line.endswith(f"{os.strerror(errno.ENOSPC)}; nothing more is uploaded in this run") for line in said)
    assert [path for path in (tmp_path / "shared").rglob("*") if path.is_file()] == []


def test_a_full_disk_of_this_machine(team: Team, shared: Files) -> None:
    team.build("one", "write")
    download = cache_module._download

    def full(*arguments: Any) -> None:
        download(*arguments)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(arguments[-1]))

    team.monkeypatch.setattr(cache_module, "_download", full)
    result, said = team.build("two")
    assert any("cannot be kept: no space left on the disk" in line for line in said)
    assert result.built
    assert left(team.root) == []


def test_a_directory_that_cannot_be_made(team: Team, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    team.place(tmp_path / "file" / "shared")
    result, said = team.build("one", "write")
    assert result.built
    assert "cannot be uploaded" in "".join(said)


def test_a_place_that_has_failed_is_left_alone(team: Team, web: WebServer) -> None:
    web.status = {"GET": 403}
    team.place(web.url)
    cache = SharedCache(ForgeHome(team.root / "home"), read_settings(), SilentProgress())
    for number in range(3):
        key = f"{number:064x}"
        assert cache.take(cache_module.Wanted("demo", "demo", key), lambda _: ()) is None
    assert len(web.requests) == 1
    cache.finish()


def test_the_second_place_has_it(team: Team, web: WebServer, tmp_path: Path) -> None:
    team.place(tmp_path / "second")
    team.build("one", "write")
    team.place(f"{web.url} {tmp_path / 'second'}")
    result, said = team.build("two", "write")
    assert (result.built, said[-1]) == (False, TAKEN)
    team.place(f"http://127.0.0.1:1 {tmp_path / 'second'}")
    assert not team.build("three")[0].built, "a place that fails does not keep others from being asked"
