from __future__ import annotations

import json
from typing import TYPE_CHECKING

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
    assert said == (f"{out / wheel.name}\n  {MODULE}\n    mended  install name: /x -> @rpath/x.framework/x\n")
    assert (out / wheel.name).is_file()


def test_something_left(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, {MODULE: macho(loads=(("/build/libz.dylib", 0xC),), imports=())})
    code, said = run(wheel, "--dry-run", "--json")
    assert code == 9
    assert [rest["what"] for rest in json.loads(said)["wheels"][0]["unmendable"]] == ["load"]
    assert json.loads(said)["wheels"][0]["output"] is None
