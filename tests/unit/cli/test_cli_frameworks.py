from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.frameworks.modules import DEVICE, wheel, wheels

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from tests.unit.cli.runner import Forge


def test_frameworks(forge: Forge, tmp_path: Path) -> None:
    given = map(str, wheels(tmp_path))
    said = forge("frameworks", *given, "--out", "app", "--xcframework", "--bundle-id", "com.example.app")
    assert (said.code, said.err) == (0, "")
    assert said.out == (
        "app/iphoneos: 1 package, 1 framework for arm64\n"
        "app/iphonesimulator: 1 package, 1 framework for arm64, x86_64\n"
        "app/XCFrameworks: 1 XCframework\n"
    )
    assert (tmp_path / "app/iphonesimulator/Frameworks/pkg._x.framework/pkg._x").is_file()


def test_errors_end_with_9(forge: Forge, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    path = wheel(tmp_path, DEVICE, {"pkg/libx.dylib": b"", "pkg/tool": b"#!/bin/sh\n"})
    said = forge("frameworks", str(path), "--out", "app", "--abi", "iphoneos")
    assert said.code == 9
    assert said.out == snapshot
    assert not (tmp_path / "app").exists()


def test_a_set_that_does_not_go_together(forge: Forge, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    given = [*wheels(tmp_path), wheel(tmp_path, DEVICE, name="b")]
    said = forge("frameworks", *map(str, given), "--out", "app")
    assert said.code == 9
    assert said.err == snapshot


def test_wrong_options(forge: Forge, tmp_path: Path) -> None:
    path = str(wheel(tmp_path))
    assert forge("frameworks", path).code == 2
    assert forge("frameworks", path, "--out", "app", "--bundle-id", "a_b").code == 2
    assert forge("frameworks", path, "--out", "app", "--ios-version", "11.0").code == 2
    assert forge("frameworks", "--out", "app").code == 2
    assert forge("frameworks", path, "--out", path).code == 2


def test_the_directory_is_somebodys(forge: Forge, tmp_path: Path) -> None:
    said = forge("frameworks", str(wheel(tmp_path)), "--out", ".")
    assert said.code == 10
    assert "has files that forge frameworks did not make" in said.err
