"""``forge index promote``: the same bytes in another index, or nothing."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest

from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.index import promote as promote_module
from forge.index.promote import promote
from tests.unit.index.interruption import interrupted
from tests.unit.index.test_index_make import made, tree, wheel
from tests.unit.source.conftest import Server, server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from tests.unit.cli.runner import Forge

__all__ = ["made", "server"]

DEMO = "demo-1.0-cp313-cp313-ios_12_0_arm64_iphoneos.whl"
OTHER = "other-1.5-cp313-cp313-ios_12_0_arm64_iphoneos.whl"


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promote_module, "now", lambda: "2026-12-24T12:00:00Z")


def files_of(site: Path, name: str = "demo") -> dict[str, dict[str, object]]:
    data = json.loads((site / "simple" / name / "index.json").read_text())
    return {file["filename"]: file for file in data["files"]}


def test_all(made: Forge, snapshot: SnapshotAssertion) -> None:
    said = made("index", "promote", "site", "stable", "--dry-run")
    assert (said.code, re.sub(r"\([\d,]+ bytes\)", "SIZE", said.out)) == snapshot
    assert not (made.root / "stable").exists()
    said = made("index", "promote", "site", "stable")
    assert (said.code, said.out.count("added: ")) == (0, 4)
    stable, site = tree(made.root / "stable"), tree(made.root / "site")
    assert {path: content for path, content in stable.items() if path.startswith("files/")} == {
        path: content for path, content in site.items() if path.startswith("files/")
    }
    assert {file["upload-time"] for file in files_of(made.root / "stable").values()} == {"2026-12-24T12:00:00Z"}
    verified = made("index", "verify", "stable", "--offline")
    assert verified.out == made("index", "verify", "site", "--offline").out
    assert "file: " not in verified.out
    assert "page: " not in verified.out
    assert made("index", "make", "stable", "wheels").err.endswith(
        "0 added, 4 were there already; 4 files of 2 projects\n"
    )
    said = made("index", "promote", "site", "stable")
    assert (said.out.count("there already: "), said.out.count("added: ")) == (4, 0)
    assert tree(made.root / "stable") == stable


@pytest.mark.parametrize(
    ("what", "names"),
    [(["other"], {OTHER}), (["Other==1.5"], {OTHER}), ([DEMO], {DEMO}), ([DEMO, "other"], {DEMO, OTHER})],
)
def test_what_is_named(made: Forge, what: list[str], names: set[str]) -> None:
    assert made("index", "promote", "site", "stable", *what).code == 0
    assert {path.name for path in (made.root / "stable" / "files").rglob("*.whl")} == names


@pytest.mark.parametrize("what", ["nothing", "demo==9", "demo>=1", "x.whl", "demo[extra]"])
def test_what_is_not_there(made: Forge, what: str, snapshot: SnapshotAssertion) -> None:
    said = made("index", "promote", "site", "stable", "other", what)
    assert (said.code, said.err.partition("error")[2]) == snapshot
    assert not (made.root / "stable").exists()


def test_other_bytes(made: Forge, snapshot: SnapshotAssertion) -> None:
    shutil.move(made.root / "wheels", made.root / "before")
    wheel(made.root, body=b"x = 1\n")
    assert made("index", "make", "stable", "wheels").code == 0
    before = tree(made.root / "stable")
    for options in ([], ["--dry-run"]):
        said = made("index", "promote", "site", "stable", *options)
        assert (said.code, re.sub(r"[0-9a-f]{64}", "HASH", said.err.partition("error")[2])) == snapshot
    assert len(set(re.findall(r"[0-9a-f]{64}", said.err))) == 2
    assert tree(made.root / "stable") == before, "nor were the others added"


DAMAGE: dict[str, Callable[[Path], object]] = {
    "a flipped bit": lambda file: file.write_bytes(file.read_bytes()[:-1] + b"\xff"),
    "a longer file": lambda file: file.write_bytes(file.read_bytes() + b"x"),
    "a file that is gone": lambda file: file.unlink(),
    "other metadata": lambda file: file.with_name(f"{file.name}.metadata").write_text("Name: x\n"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file(made: Forge, damage: str, snapshot: SnapshotAssertion) -> None:
    """It is not copied, and no page names it; what was copied before it is there for the next run."""
    DAMAGE[damage](made.root / "site" / "files" / "demo" / DEMO)
    said = made("index", "promote", "site", "stable")
    assert (said.code, re.sub(r"[0-9a-f]{64}", "HASH", said.err.partition("error")[2])) == snapshot
    assert not (made.root / "stable" / "files" / "demo" / DEMO).exists()
    assert not (made.root / "stable" / "simple").exists()


class TestYanks:
    def test_what_is_yanked_is_left_out(self, made: Forge) -> None:
        made("index", "yank", "site", "other==1.5", "--reason", "bad")
        said = made("index", "promote", "site", "stable")
        assert f"left out, since it is yanked: {OTHER}" in said.err
        assert not (made.root / "stable" / "files" / "other").exists()
        assert made("index", "promote", "site", "stable", "other").out == ""
        assert made("index", "promote", "site", "stable", "other==1.5").code == 0
        assert files_of(made.root / "stable", "other")[OTHER]["yanked"] == "bad"

    def test_a_yank_goes_on_and_is_not_taken_back(self, made: Forge) -> None:
        made("index", "promote", "site", "stable")
        made("index", "yank", "site", "other==1.5", "--reason", "bad")
        said = made("index", "promote", "site", "stable", "--dry-run")
        assert f"yanked: {OTHER}\n" in said.out
        made("index", "promote", "site", "stable")
        held = files_of(made.root / "stable", "other")[OTHER]
        assert held["yanked"] == "bad"
        made("index", "unyank", "site", "other==1.5")
        made("index", "promote", "site", "stable")
        assert files_of(made.root / "stable", "other")[OTHER] == held


@pytest.mark.parametrize("number", range(1, 24))
def test_interrupted(made: Forge, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Whenever it ends, every file that a page names is there, and the next run ends the work."""
    stable = made.root / "stable"
    assert made("index", "promote", "site", "stable", "other").code == 0
    with interrupted(monkeypatch, number) as left:
        code = made("index", "promote", "site", "stable").code
    assert code == (130 if left[0] <= 0 else 0)
    for page in stable.glob("simple/*/index.json"):
        for file in json.loads(page.read_text())["files"]:
            assert (page.parent / file["url"]).resolve().is_file()
            assert (page.parent / f"{file['url']}.metadata").resolve().is_file()
    assert made("index", "promote", "site", "stable").code == 0
    assert made("index", "promote", "site", "whole").code == 0
    assert tree(stable) == tree(made.root / "whole")


def test_from_a_web_server(made: Forge, server: Server) -> None:
    site = made.root / "site"
    for file in site.rglob("*"):
        if file.is_file():
            server.put(f"/index/{file.relative_to(site)}", file.read_bytes())
    stable = str(made.root / "stable")
    done = promote(f"{server.url}/index", stable, ["demo==1.0"], ForgeHome(made.root / "home"), SilentProgress())
    assert len(done.new) == 3
    assert (made.root / "stable" / "files" / "demo" / DEMO).read_bytes() == (site / "files/demo" / DEMO).read_bytes()


@pytest.mark.parametrize(
    ("source", "target"), [("nowhere", "stable"), ("site", "http://127.0.0.1:9/x"), ("site", "wheels")]
)
def test_no_index(made: Forge, source: str, target: str, snapshot: SnapshotAssertion) -> None:
    said = made("index", "promote", source, target)
    assert (said.code, said.err) == snapshot
    said = made("index", "promote", source, target, "--dry-run")
    assert said.code == 16
