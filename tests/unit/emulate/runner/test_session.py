"""Sessions in a real Python without a loader, and in a fake one that writes down what a loader would."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from forge.emulate.runtime.config import LoaderConfig
from forge.emulate.runtime.guise import Guise
from forge.emulate.session import MAX_CRASHES, Emulator, Limits, Outcome, describe_record, run_session
from forge.trial.emulator import process_environment

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

SUITE = """
import os, signal, sys, time
import pytest

def test_good(): pass
def test_bad(): assert 1 == 2
def test_abort(): os.abort()
@pytest.mark.skip(reason="not here")
def test_skipped(): pass
@pytest.mark.xfail
def test_expected(): assert False
@pytest.mark.xfail
def test_unexpected(): pass
@pytest.fixture
def broken(): raise RuntimeError("no fixture")
def test_error(broken): pass
@pytest.fixture
def late():
    yield
    raise RuntimeError("on the way out")
def test_teardown(late): pass
def test_leaves(): os._exit(3)
def test_last(): pass
"""
# Stands for the emulating Python: runs the session's test by test, with what the arguments say of each.
FAKE = """
import json, os, sys, time
session = json.load(open(sys.argv[-1]))
script = json.load(open("script.json"))
with open("sessions.jsonl", "a") as log: print(json.dumps(session), file=log)
def row(**values):
    with open(session["results"], "a") as out: print(json.dumps(values), file=out)
for name, record in script.items():
    if name in session["skip"]: continue
    row(test=name)
    if record == "sleep": time.sleep(60)
    if record is not None:
        with open(session["loader"]["report"], "a") as out:
            print(json.dumps(record) + '\\n{"kind": "fault", "signal": "SIGABRT", "frames": []}\\n{"cut o', file=out)
        os.abort()
    row(test=name, outcome="passed", seconds=0.5, message="")
with open(session["report"], "w") as out: json.dump({"bindings": [], "modules": {}}, out)
row(ended=0)
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


def session(here: Path, *arguments: str, limits: Limits | None = None, paths: tuple[Path, ...] = ()) -> Outcome:
    emulator = Emulator((sys.executable, "-s"), process_environment(here), None, None)
    return run_session(
        emulator, paths=paths, arguments=["-p", "no:cacheprovider", *arguments], cwd=here / "run", work=here,
        limits=limits,
    )  # fmt: skip


def test_every_outcome_and_a_crash_costs_one_test(here: Path) -> None:
    (here / "run" / "test_it.py").write_text(SUITE)
    outcome = session(here, "test_it.py")
    assert {case.id.partition("::")[2]: case.outcome for case in outcome.cases} == {
        "test_good": "passed",
        "test_bad": "failed",
        "test_abort": "crashed",
        "test_skipped": "skipped",
        "test_expected": "xfailed",
        "test_unexpected": "xpassed",
        "test_error": "error",
        "test_teardown": "error",
        "test_leaves": "crashed",
        "test_last": "passed",
    }
    said = {case.id.partition("::")[2]: case.message for case in outcome.cases}
    assert "assert 1 == 2" in said["test_bad"]
    assert "no fixture" in said["test_error"]
    assert "on the way out" in said["test_teardown"]
    assert "not here" in said["test_skipped"]
    assert [(i.kind, i.test) for i in outcome.incidents] == [
        ("fault", "test_it.py::test_abort"),
        ("exit", "test_it.py::test_leaves"),
    ]
    assert not outcome.is_good
    assert outcome.seconds > 0
    assert b"test session starts" in outcome.output.read_bytes()


def test_good_is_good(here: Path) -> None:
    (here / "run" / "test_it.py").write_text("def test(): pass")
    assert session(here, "test_it.py").is_good


def test_no_test_is_not_good(here: Path) -> None:
    (here / "run" / "test_it.py").write_text("")
    outcome = session(here, "test_it.py")
    assert (outcome.cases, outcome.incidents, outcome.is_good) == ((), (), False)


def test_memory_is_limited(here: Path) -> None:
    (here / "run" / "test_it.py").write_text("def test(): bytearray(2**32)")
    outcome = session(here, "test_it.py", limits=Limits(memory=2**30))
    assert [case.outcome for case in outcome.cases] == ["failed"]
    assert "MemoryError" in outcome.cases[0].message


def test_a_file_that_cannot_be_collected(here: Path) -> None:
    (here / "run" / "test_it.py").write_text("import no_such_module")
    (here / "run" / "test_other.py").write_text("import pytest\npytest.skip('none here', allow_module_level=True)")
    outcome = session(here)
    assert {case.id: case.outcome for case in outcome.cases} == {"test_it.py": "error", "test_other.py": "skipped"}
    assert "no_such_module" in outcome.cases[0].message


def test_a_wrong_argument_ends_it(here: Path) -> None:
    outcome = session(here, "--no-such-option")
    assert [(i.kind, i.test) for i in outcome.incidents] == [("exit", None)]
    assert outcome.incidents[0].text.startswith("exited with code 4: ")


def test_paths_come_first(here: Path) -> None:
    (here / "packages").mkdir()
    (here / "packages" / "colorsys.py").write_text("mine = True")
    (here / "run" / "test_it.py").write_text("def test():\n    import colorsys\n    assert colorsys.mine")
    assert session(here, "test_it.py", paths=(here / "packages",)).is_good


def test_pythons_that_a_test_starts_are_alike(here: Path) -> None:
    (here / "packages").mkdir()
    (here / "packages" / "colorsys.py").write_text("mine = True")
    (here / "run" / "test_it.py").write_text(
        "import subprocess, sys\ndef test():\n"
        "    code = 'import colorsys, sys; print(colorsys.mine, sys.platform)'\n"
        "    assert subprocess.check_output([sys.executable, '-c', code]).split() == [b'True', b'ios']\n"
    )
    guise = Guise("17.0", "12.0", "arm64-iphoneos")
    # subprocess itself refuses to start a process where sys.platform is ios, from CPython 3.13 on: so, asked as Linux.
    script = "import sys, os\nsys.platform = 'linux'\n"
    (here / "run" / "conftest.py").write_text(script)
    emulator = Emulator((sys.executable, "-s"), process_environment(here), None, guise)
    outcome = run_session(
        emulator, paths=[here / "packages"], arguments=["-p", "no:cacheprovider", "test_it.py"], cwd=here / "run",
        work=here,
    )  # fmt: skip
    assert outcome.is_good, outcome.output.read_text()


def fake(here: Path, script: dict[str, Any], limits: Limits | None = None) -> Outcome:
    (here / "fake.py").write_text(FAKE)
    (here / "run" / "script.json").write_text(json.dumps(script))
    loader = LoaderConfig(shim=here / "shim.so", libcxx=None)
    emulator = Emulator((sys.executable, str(here / "fake.py")), {"PATH": "/usr/bin:/bin"}, loader, None)
    return run_session(emulator, paths=[], arguments=[], cwd=here / "run", work=here, limits=limits)


def test_a_trap_is_told_with_who_called_whom(here: Path) -> None:
    trap = {
        "kind": "trap", "symbol": "_kqueue", "library": "/usr/lib/libSystem.B.dylib", "importer": "/app/x.so",
        "caller": {"symbol": "_wait_for"},
    }  # fmt: skip
    outcome = fake(here, {"a": None, "b": trap, "c": None})
    assert [(case.id, case.outcome) for case in outcome.cases] == [("a", "passed"), ("b", "crashed"), ("c", "passed")]
    (incident,) = outcome.incidents
    assert (incident.kind, incident.test, incident.record) == ("trap", "b", trap)
    text = "_wait_for of x.so called _kqueue of /usr/lib/libSystem.B.dylib, which is not provided"
    assert incident.text == outcome.cases[1].message == text
    # Only the process that ended by itself could tell what it had bound.
    assert outcome.reports == ({"bindings": [], "modules": {}},)
    first, second = [json.loads(line) for line in (here / "run" / "sessions.jsonl").read_text().splitlines()]
    assert (first["skip"], second["skip"]) == ([], ["a", "b"])
    assert first["loader"]["shim"] == str(here / "shim.so")


def test_a_test_that_takes_too_long(here: Path) -> None:
    outcome = fake(here, {"a": "sleep", "b": None}, Limits(seconds=3))
    assert [(case.id, case.outcome) for case in outcome.cases] == [("a", "crashed"), ("b", "passed")]
    assert [(incident.kind, incident.text) for incident in outcome.incidents] == [("timeout", "timed out after 3 s")]


def test_it_gives_up_after_many_crashes(here: Path) -> None:
    outcome = fake(here, {f"t{i}": {"kind": "fault", "signal": "SIGSEGV"} for i in range(MAX_CRASHES + 3)})
    assert len(outcome.incidents) == MAX_CRASHES
    assert len(outcome.cases) == MAX_CRASHES - 1


@pytest.mark.parametrize(
    "record",
    [
        {"kind": "trap", "symbol": "_a", "library": None, "importer": None, "caller": None},
        {"kind": "trap", "symbol": "_a", "library": "/l", "importer": "/d/i.so", "caller": {"symbol": "_f"}},
        {"kind": "fault", "signal": "SIGSEGV", "frames": []},
        {"kind": "fault", "signal": "SIGSEGV"},
        {
            "kind": "fault",
            "signal": "SIGBUS",
            "frames": [{"pc": "0x1"}, {"image": "/d/i.so", "symbol": "_f"}, {"image": "/d/j.so", "symbol": None}],
        },
    ],
)
def test_records_in_words(record: dict[str, Any], snapshot: SnapshotAssertion) -> None:
    assert describe_record(record) == snapshot
