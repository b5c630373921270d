from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from forge.base.errors import StorageError
from forge.base.paths import ForgeHome


def test_forge_home_names_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/someone")
    for named, root in (("/x/../y", "/y"), ("rel", f"{tmp_path}/rel"), ("~/c", "/home/someone/c")):
        monkeypatch.setenv("FORGE_HOME", named)
        assert str(ForgeHome.from_environment().root) == root


def test_else_it_is_the_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in (None, ""):
        if value is None:
            monkeypatch.delenv("FORGE_HOME", raising=False)
        else:
            monkeypatch.setenv("FORGE_HOME", value)
        assert ForgeHome.from_environment().root == platformdirs.user_cache_path("forge-ios")


def test_links_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.setenv("FORGE_HOME", str(tmp_path / "link"))
    assert ForgeHome.from_environment().root == tmp_path / "link"


@pytest.mark.parametrize(
    "name", ["my cache", "a\tb", "a\nb", "a\u00a0b", "it's", 'a"b', "a:b", "a=b", "$a", "a;b", "a*"]
)
def test_what_build_tools_trip_over_is_refused(name: str) -> None:
    with pytest.raises(StorageError, match=r"the path of the cache directory .* contains") as error:
        ForgeHome(Path("/") / name)
    assert error.value.hint == "set FORGE_HOME to a directory without such characters"


@pytest.mark.parametrize("name", ["forge-ios", "a_b.c+d@e%f,g", "Müller", "版本"])
def test_other_names_are_taken(name: str) -> None:
    assert ForgeHome(Path("/") / name).root.name == name


def test_every_room_has_its_own_directory() -> None:
    home = ForgeHome(Path("/cache"))
    rooms = [
        home.sources, home.toolchains, home.pythons, home.build_pythons, home.wheels, home.work, home.logs, home.locks,
    ]  # fmt: skip
    assert len(set(rooms)) == len(rooms)
    assert {room.parent for room in rooms} == {home.root}
