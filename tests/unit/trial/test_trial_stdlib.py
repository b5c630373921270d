"""CPython's tests, with a Python that answers as it was recorded."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from forge.base.errors import TrialError
from forge.base.paths import ForgeHome
from forge.crossbuild.context import BuildContext
from forge.ios_python.build_python import BuildPython
from forge.ios_python.model import IOSPython
from forge.trial import stdlib
from forge.trial.emulator import Linux
from forge.trial.stdlib import GROUPS, try_standard_library
from tests.unit.ios_python.fakes import VERSION, X86_SIMULATOR, Recorder, make_toolchain

if TYPE_CHECKING:
    from pathlib import Path

    from forge.trial.stdlib import GroupResult

PYTHON = """#!{python}
import json, os, sys
from pathlib import Path
session = json.loads(Path(sys.argv[-1]).read_text())
with open({asked!r}, "a") as file:
    file.write(json.dumps(session) + "\\n")
here = "macho" if session["loader"] else "linux"
junit = session["arguments"][0].partition("=")[2]
answer = json.loads(Path({answers!r}).read_text())[here]
if answer.get("record"):
    Path(session["loader"]["report"]).write_text(json.dumps(answer["record"]) + "\\n")
if "junit" in answer:
    Path(junit).write_text(answer["junit"])
    Path(session["report"]).write_text(json.dumps({{"modules": answer.get("modules", {{}})}}))
print(answer.get("says", ""))
sys.exit(answer.get("code", 0))
"""


def case(name: str, inside: str = "") -> str:
    return f'<testcase name="test.{name}" time="0.5">{inside}</testcase>'


def junit(*cases: str) -> str:
    return f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>"


@pytest.fixture
def ctypes_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(stdlib, "ensure_linux", lambda *_: Linux(("python",), tmp_path / "shim.so"))
    monkeypatch.setattr(stdlib, "ensure_libcxx", lambda *_: tmp_path / "libc++.1.dylib")
    monkeypatch.setattr(stdlib, "ensure_ctypes_test", lambda *_: tmp_path / "ctypes-test")
    return tmp_path / "ctypes-test"


def run(
    tmp_path: Path, answers: dict[str, Any], name: str = "heapq"
) -> tuple[GroupResult, list[dict[str, Any]], Recorder]:
    (tmp_path / "answers.json").write_text(json.dumps(answers))
    asked, python = tmp_path / "asked", tmp_path / "python"
    python.write_text(PYTHON.format(python=sys.executable, asked=str(asked), answers=str(tmp_path / "answers.json")))
    python.chmod(0o755)
    ios = IOSPython(tmp_path / "Python.xcframework", VERSION, (X86_SIMULATOR,), ())
    home = ForgeHome(tmp_path / "home")
    context = BuildContext(home, make_toolchain(tmp_path / "toolchain"), ios, BuildPython(python, VERSION))
    progress = Recorder()
    (result,) = try_standard_library(python, tmp_path / "lib-dynload", X86_SIMULATOR, context, [name], progress)
    return result, [json.loads(line) for line in asked.read_text().splitlines()], progress


def test_the_same_tests_with_both_kinds_of_modules(tmp_path: Path, ctypes_tests: Path) -> None:
    failed, skipped = '<failure message="f">why not</failure>', '<skipped message="no"/>'
    result, sessions, progress = run(
        tmp_path,
        {
            "macho": {
                "junit": junit(case("one"), case("two", failed), case("three", skipped)),
                "modules": {"_heapq": "/x/_heapq.so"},
            },
            "linux": {"junit": junit(case("one"), case("two"), case("three"))},
        },
    )
    assert (result.name, result.modules, result.notes) == ("heapq", ("_heapq",), ())
    compared = result.comparison
    assert (compared.host_passed, compared.both_passed, compared.skipped_here) == (3, 1, 1)
    assert [(one.id, one.emulated, one.host, one.message) for one in compared.differences] == [
        ("test.two", "failed", "passed", "why not"),
        ("test.three", "skipped", "passed", "no"),
    ]
    macho, linux = sessions
    assert macho["directories"] == [str(tmp_path / "lib-dynload")]
    assert macho["loader"]["libcxx"] == str(tmp_path / "libc++.1.dylib")
    assert (linux["loader"], linux["directories"]) == (None, [])
    assert macho["arguments"][-1] == linux["arguments"][-1] == "test_heapq"
    assert macho["guise"] is None
    assert progress.said == ["CPython's tests of heapq: run"]


def test_ctypes_has_its_test_module_beside_the_others(tmp_path: Path, ctypes_tests: Path) -> None:
    answer = {"junit": junit(case("one"))}
    _, (macho, linux), _ = run(tmp_path, {"macho": answer, "linux": answer}, "ctypes")
    assert macho["directories"] == [str(tmp_path / "lib-dynload"), str(ctypes_tests)]
    assert linux["directories"] == []


def test_a_test_that_is_there_several_times_has_the_worst_outcome(tmp_path: Path, ctypes_tests: Path) -> None:
    error = '<error message="e">subtest</error>'
    unnamed = '<testcase time="0"><failure>one</failure></testcase>'
    result, _, _ = run(
        tmp_path,
        {
            "macho": {"junit": junit(case("one"), case("one", error), case("one"), unnamed)},
            "linux": {"junit": junit(case("one"))},
        },
    )
    assert [(one.id, one.emulated) for one in result.comparison.differences] == [
        ("test.one", "error"),
        ("a subtest of a test that is absent", "failed"),
    ]


@pytest.mark.parametrize(
    ("answer", "note"),
    [
        (
            {
                "record": {
                    "kind": "trap",
                    "symbol": "_kqueue",
                    "library": "/usr/lib/libSystem.B.dylib",
                    "importer": "/x/select.so",
                },
                "code": 1,
            },
            "test_heapq: select.so called _kqueue of /usr/lib/libSystem.B.dylib, which is not provided",
        ),
        ({"says": "no such test", "code": 3}, "test_heapq: code 3: no such test"),
    ],
)
def test_a_process_that_ends_before_its_results(
    tmp_path: Path, ctypes_tests: Path, answer: dict[str, Any], note: str
) -> None:
    result, _, _ = run(tmp_path, {"macho": answer, "linux": {"junit": junit(case("one"))}})
    assert result.notes == (note,)
    crashed = next(one for one in result.comparison.differences if one.id == "test_heapq")
    assert (crashed.emulated, crashed.host) == ("crashed", "absent")


def test_a_group_that_is_not_there(tmp_path: Path) -> None:
    nothing: Any = None
    with pytest.raises(TrialError, match="unknown group 'heap'") as raised:
        try_standard_library(tmp_path, tmp_path, X86_SIMULATOR, nothing, ["heapq", "heap"], Recorder())
    assert raised.value.hint == f"known groups: {', '.join(GROUPS)}"
