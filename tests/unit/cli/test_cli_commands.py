"""What the commands that look rather than build print."""

from __future__ import annotations

import functools
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from forge.base.paths import ForgeHome
from forge.base.target import select_targets
from forge.cli import doctor as doctor_command
from forge.cli import python as python_command
from forge.cli import toolchain as toolchain_command
from forge.ios_python.built import MANIFEST
from forge.ios_python.interface import known_minors
from forge.ios_python.model import NOT_ON_IOS
from forge.ios_python.product import read_xcframework
from forge.toolchain.doctor import Machine, examine
from tests.unit.ios_python.fakes import DEVICE, make_toolchain, write_ios_python
from tests.unit.toolchain.test_toolchain_doctor import BARE, GOOD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syrupy.assertion import SnapshotAssertion

    from forge.base.target import Target
    from tests.unit.cli.runner import Forge

SCHEMAS = Path(__file__).parents[3] / "schemas"


def put(forge: Forge, version: str, targets: Sequence[Target] = select_targets()) -> Path:
    directory = forge.root / "home" / "pythons" / f"{version}-0123"
    root = directory / "Python.xcframework"
    write_ios_python(root, targets, version)
    (directory / MANIFEST).write_text(json.dumps({"targets": {}}))
    return root


class TestPythonList:
    def test_nothing(self, forge: Forge) -> None:
        """What can be assembled is always there."""
        listed = json.loads(forge("python", "list", "--json").out)
        assert [each["provider"] for each in listed] == ["assembled"] * len(known_minors())
        assert "default: 3.13" in forge("python", "list").out

    def test_some(self, forge: Forge, snapshot: SnapshotAssertion) -> None:
        put(forge, "3.13.5")
        put(forge, "3.14.0", [DEVICE])
        said = forge("python", "list")
        assert (said.code, said.err) == (0, "")
        assert forge.plain(said.out) == snapshot(name="text")
        assert forge.plain(forge("python", "list", "--json").out) == snapshot(name="json")

    def test_a_damaged_one(self, forge: Forge, snapshot: SnapshotAssertion) -> None:
        root = put(forge, "3.13.5")
        (root / "ios-arm64" / "Python.framework" / "Info.plist").write_bytes(b"")
        put(forge, "3.14.0", [DEVICE])
        said = forge("python", "list")
        assert (said.code, said.err) == (0, "")
        assert forge.plain(said.out) == snapshot(name="list")
        said = forge("python", "show", "3.13")
        assert (said.code, said.out) == (7, "")
        assert forge.plain(said.err) == snapshot(name="show")
        assert forge("python", "show", "3.14").code == 0


class TestPythonShow:
    @pytest.mark.parametrize("which", ["", "3.13", "3.13.5"])
    def test_by_version(self, forge: Forge, which: str, snapshot: SnapshotAssertion) -> None:
        put(forge, "3.13.5")
        put(forge, "3.12.9")
        said = forge("python", "show", *([which] if which else []))
        assert said.code == 0
        assert forge.plain(said.out) == snapshot(name="text")
        described = json.loads(forge("python", "show", "--json", *([which] if which else [])).out)
        assert described["version"] == "3.13.5"
        assert [target["multiarch"] for target in described["targets"]] == [
            "arm64-iphoneos", "arm64-iphonesimulator", "x86_64-iphonesimulator",
        ]  # fmt: skip
        assert described["targets"][0] == {
            "multiarch": "arm64-iphoneos", "ios_version": "12.0", "extension_modules": ["_ssl", "zlib"],
            "absent_modules": list(NOT_ON_IOS),
        }  # fmt: skip

    def test_by_path(self, forge: Forge) -> None:
        root = write_ios_python(forge.root / "elsewhere" / "Python.xcframework", [DEVICE])
        assert json.loads(forge("python", "show", "--json", str(root)).out)["path"] == str(root)

    @pytest.mark.parametrize("which", [("3.12",), ("3.13.77",), ("3.13", "--python-from", "official")])
    def test_not_there(self, forge: Forge, which: tuple[str, ...], snapshot: SnapshotAssertion) -> None:
        said = forge("python", "show", *which)
        assert (said.code, said.out) == (7, "")
        assert said.err == snapshot

    def test_no_xcframework(self, forge: Forge, snapshot: SnapshotAssertion) -> None:
        said = forge("python", "show", ".")
        assert said.code == 7
        assert forge.plain(said.err) == snapshot


def test_python_add_and_remove(forge: Forge, snapshot: SnapshotAssertion) -> None:
    write_ios_python(forge.root / "official" / "Python.xcframework", [DEVICE])
    said = forge("python", "add", "official")
    assert said.code == 0
    assert forge.plain(said.out) == snapshot
    assert "3.13.5  official  CPython's layout" in forge("python", "list").out
    said = forge("python", "remove", "3.13.5")
    assert (said.code, said.out.startswith("removed ")) == (0, True)
    assert "official" not in forge("python", "list").out
    assert forge("python", "remove", "3.13.5").code == 7
    assert forge("python", "add", "nowhere").code == 7


def test_python_build_copies_what_it_made(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    made = read_xcframework(put(forge, "3.13.5"))
    monkeypatch.setattr(python_command, "ensure_toolchain", lambda *_: make_toolchain(forge.root / "toolchain"))
    monkeypatch.setattr(python_command, "ensure_built", lambda *_: made)
    assert forge("python", "build", "3.13").out == f"{made.root}\n"
    stale = forge.root / "app" / "Python.xcframework" / "stale"
    stale.mkdir(parents=True)
    said = forge("python", "build", "3.13", "--out", "app")
    assert (said.code, said.out) == (0, "app/Python.xcframework\n")
    assert read_xcframework(forge.root / "app" / "Python.xcframework").targets == made.targets
    assert not stale.exists()
    link = forge.root / "app" / "Python.xcframework" / "ios-arm64" / "include" / "python3.13"
    assert link.is_symlink()
    shutil.rmtree(made.root)
    assert link.exists(), "the copy stands by itself"


def test_toolchain_install(forge: Forge, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    made = make_toolchain(forge.root / "toolchain")
    monkeypatch.setattr(toolchain_command, "ensure_toolchain", lambda *_: made)
    said = forge("toolchain", "install")
    assert said.code == 0
    assert forge.plain(said.out) == snapshot


class TestDoctor:
    def machine(self, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(doctor_command, "examine", functools.partial(examine, machine=machine))

    def test_everything_is_there(self, forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
        self.machine(GOOD, monkeypatch)
        said = forge("doctor")
        assert (said.code, said.err) == (0, "")
        assert "missing" not in said.out
        assert forge("doctor", "--json").code == 0

    def test_nothing_is_there(self, forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
        self.machine(BARE, monkeypatch)
        said = forge("doctor")
        assert said.code == 6
        assert "missing" in said.out
        assert "To install everything that is missing, run:\n" in said.out
        assert "apt-get install" in said.out.partition("To install everything")[2]

    @pytest.mark.parametrize("machine", [GOOD, BARE], ids=["good", "bare"])
    def test_json(self, forge: Forge, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.machine(machine, monkeypatch)
        said = forge("doctor", "--json")
        data = json.loads(said.out)
        jsonschema.validate(data, json.loads((SCHEMAS / "doctor.schema.json").read_text()))
        assert data["ok"] is (said.code == 0)
        ids = {check["id"] for check in data["checks"]}
        assert ids == {check.id for check in examine(ForgeHome(forge.root / "home"), machine)}
