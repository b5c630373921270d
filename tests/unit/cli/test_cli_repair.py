from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from forge.cli.main import cli
from tests.unit.macho.builder import macho
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

MODULE = "x.cpython-313-iphoneos.so"


def run(*arguments: str | Path) -> tuple[int, str]:
    # main() turns what a command returns into the exit code.
    result = CliRunner().invoke(cli, ["repair", *map(str, arguments)], standalone_mode=False)
    assert result.exception is None, result.exception
    return result.return_value, result.output


def test_repair(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, {MODULE: macho(install_name="/x")})
    out = tmp_path / "out"
    code, said = run(wheel, wheel, "--out", out)
    assert code == 0
    assert said == (f"{out / wheel.name}\n  {MODULE}\n    fixed   install name: /x -> @rpath/x.framework/x\n")
    assert (out / wheel.name).is_file()


def test_something_left(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, {MODULE: macho(loads=(("/build/libz.dylib", 0xC),), imports=())})
    code, said = run(wheel, "--dry-run", "--json")
    assert code == 9
    assert [rest["what"] for rest in json.loads(said)["wheels"][0]["unmendable"]] == ["load", "check"]
    assert json.loads(said)["wheels"][0]["output"] is None


def test_the_result_is_checked(tmp_path: Path) -> None:
    # The tag follows the binaries, and the suffix stays that of the simulator: the result is not sound.
    files = {"x.cpython-313-iphonesimulator.so": macho()}
    wheel = make_wheel(tmp_path, files, tag="cp313-cp313-ios_12_0_arm64_iphonesimulator")
    for options in ((), ("--dry-run",)):
        code, said = run(wheel, "--out", tmp_path / "out", *options)
        assert code == 9
        assert "left    check: IOS201 wrong-suffix" in said


def test_an_empty_library_is_left(tmp_path: Path) -> None:
    code, said = run(make_wheel(tmp_path, {MODULE: b""}), "--out", tmp_path / "out")
    assert code == 9
    assert "IOS203 foreign-binary" in said


def test_two_wheels_of_one_name(tmp_path: Path) -> None:
    right = make_wheel(tmp_path / "a", {MODULE: macho()})
    wrong = make_wheel(tmp_path / "b", {MODULE: macho()}, tag="cp313-cp313-ios_12_0_arm64_iphonesimulator")
    code, said = run(right, wrong, "--out", tmp_path / "out")
    assert code == 9
    assert f"another wheel was repaired to {right.name} already" in said
    assert (tmp_path / "out" / right.name).read_bytes() == right.read_bytes()


@pytest.mark.parametrize("both", [True, False], ids=["both are named", "one is named"])
def test_in_place_no_other_wheel_is_overwritten(tmp_path: Path, both: bool) -> None:
    right = make_wheel(tmp_path, {MODULE: macho()})
    wrong = make_wheel(tmp_path, {MODULE: macho(), "more.py": b""}, tag="cp313-cp313-ios_12_0_arm64_iphonesimulator")
    before = {path.name: path.read_bytes() for path in (right, wrong)}
    code, said = run(wrong, *([right] if both else []), "--out", tmp_path)
    assert code == 9
    assert f"its tags are those of {right.name}, which is there already" in said
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_in_place_under_a_new_name(tmp_path: Path) -> None:
    files = {"x.abi3.so": macho()}
    wheel = make_wheel(tmp_path, files, tag="cp313-abi3-ios_12_0_arm64_iphonesimulator")
    code, _ = run(wheel, "--out", tmp_path)
    assert code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["example-1.0-cp313-abi3-ios_12_0_arm64_iphoneos.whl"]
