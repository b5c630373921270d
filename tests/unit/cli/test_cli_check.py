from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from forge.audit.rules import all_rules
from tests.unit.audit.broken import DEVICE, MODULE, SOUND, loads, several, sound
from tests.unit.audit.corpus import CASES
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from tests.unit.cli.runner import Forge

TAG = f"cp313-cp313-{DEVICE}"
WARNING = sound(exports=("_PyInit_x", "_xerbla_"))
ERROR = loads("/opt/homebrew/lib/libz.dylib")


def schema() -> Any:
    return json.loads((Path(__file__).parents[3] / "schemas" / "check.schema.json").read_text(encoding="utf-8"))


def test_report(forge: Forge, snapshot: SnapshotAssertion) -> None:
    files = {
        **loads("/opt/homebrew/lib/libz.dylib"),
        **{f"example/y{n}.abi3.so": sound(exports=(f"_PyInit_y{n}",), stabs=("y.o",))[MODULE] for n in range(3)},
    }
    make_wheel(forge.root, files, tag=TAG)
    make_wheel(forge.root, {"pure/__init__.py": b""}, tag="py3-none-any", name="pure")
    make_wheel(forge.root, {MODULE: SOUND}, tag="cp314-cp314-ios_13_0_riscv_iphoneos")
    said = forge("check", ".")
    assert said.code == 9
    assert said.out == snapshot


def test_nothing_found(forge: Forge, snapshot: SnapshotAssertion) -> None:
    path = make_wheel(forge.root, {MODULE: SOUND}, tag=TAG)
    said = forge("check", path.name, path.name)
    assert said.code == 0
    assert said.out == snapshot


@pytest.mark.parametrize("case", CASES[::5], ids=lambda case: f"{case.rule}: {case.label}")
def test_json_is_as_published(forge: Forge, case: Any, recwarn: pytest.WarningsRecorder) -> None:
    path = case.make(forge.root)
    recwarn.clear()  # zipfile's, about names that a case gives on purpose
    said = forge("check", str(path), "--json")
    jsonschema.Draft202012Validator(schema()).validate(json.loads(said.out))


def test_json_in_full(forge: Forge, snapshot: SnapshotAssertion) -> None:
    several(DEVICE)(forge.root)
    make_wheel(forge.root, {"pure/__init__.py": b""}, tag="py3-none-any", name="pure")
    make_wheel(forge.root, ERROR, tag=TAG, name="other")
    said = forge("check", ".", "--json")
    jsonschema.Draft202012Validator(schema()).validate(json.loads(said.out))
    assert said.out == snapshot


@pytest.mark.parametrize(
    ("options", "code", "names"),
    [
        ((), 9, ["foreign-library", "non-public-symbol"]),
        (("--ignore", "IOS210"), 0, ["non-public-symbol"]),
        (("--ignore", "IOS210", "--fail-on", "warning"), 9, ["non-public-symbol"]),
        (("--ignore", "ios210,non-public-symbol", "--fail-on", "warning"), 0, []),
        (("--select", "IOS1"), 0, []),
        (("--select", "IOS1, IOS2", "--ignore", "IOS221"), 9, ["foreign-library"]),
        (("--select", "IOS221", "--select", "IOS210"), 9, ["foreign-library", "non-public-symbol"]),
    ],
)
def test_selection_and_exit_code(forge: Forge, options: tuple[str, ...], code: int, names: list[str]) -> None:
    files = {"example/y.so": WARNING[MODULE].replace(b"PyInit_x", b"PyInit_y"), **ERROR}
    path = make_wheel(forge.root, files, tag=TAG)
    said = forge("check", path.name, "--json", *options)
    assert said.code == code
    assert [finding["name"] for finding in json.loads(said.out)["wheels"][0]["findings"]] == names


def test_explain(forge: Forge, snapshot: SnapshotAssertion) -> None:
    said = forge("check", "--explain", "IOS221")
    assert said.code == 0
    assert said.out == snapshot
    assert forge("check", "--explain", "ios221") == forge("check", "--explain", "non-public-symbol") == said


def test_explain_all(forge: Forge) -> None:
    said = forge("check", "--explain", "IOS")
    assert all(rule.id in said.out for rule in all_rules())


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ((), 2, "WHEEL|DIR..."),
        (("--explain", "IOS999"), 2, "--explain: 'IOS999' is not a rule"),
        (("--select", "nothing", "."), 2, "--select or --ignore: 'nothing' is not a rule"),
        (("--ignore", "IOS221,IOS9", "."), 2, "'IOS9' is not a rule"),
        (("gone.whl",), 2, "gone.whl"),
        (("empty",), 9, "empty holds no wheels"),
    ],
)
def test_wrong_command_lines(forge: Forge, arguments: tuple[str, ...], code: int, text: str) -> None:
    (forge.root / "empty").mkdir()
    said = forge("check", *arguments)
    assert said.code == code
    assert text in said.err
