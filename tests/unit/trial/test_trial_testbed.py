"""CPython's testbed driven as on a Mac, with a program in its place that answers as it was recorded."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from forge.base.errors import SourceError, TrialError
from forge.emulate.session import Limits
from forge.ios_python.build_python import BuildPython
from forge.ios_python.product import XCFramework
from forge.trial.testbed import (
    PLACES,
    ClonedTestbed,
    clone_testbed,
    find_testbed,
    make_slice,
    run_pytest,
    simulator_environment,
)
from tests.unit.ios_python.fakes import (
    ARM_SIMULATOR,
    VERSION,
    X86_SIMULATOR,
    make_toolchain,
    write_ios_python,
)
from tests.unit.trial.fake_testbed import calls, write_testbed

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

PYTHON = BuildPython(Path(sys.executable), VERSION)
PASSED = (
    '<testsuites><testsuite><testcase file="test_it.py" classname="test_it" name="{}" time="0.25">{}</testcase>'
    "</testsuite></testsuites>"
)


@pytest.mark.parametrize("place", PLACES)
def test_it_is_found_in_the_source(place: str, tmp_path: Path) -> None:
    testbed = write_testbed(tmp_path, tmp_path / "said", place=place)
    assert find_testbed(tmp_path) == testbed


def test_a_source_without_one(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not contain an iOS testbed"):
        find_testbed(tmp_path)


def test_a_slice_is_what_make_install_leaves(tmp_path: Path) -> None:
    root = write_ios_python(tmp_path / "Python.xcframework")
    (root / "lib" / "python3.13" / "os.py").write_text("name = 'posix'\n")
    (root / X86_SIMULATOR.slice_name / "lib").mkdir()
    (root / X86_SIMULATOR.slice_name / "lib" / "libpython3.13.dylib").symlink_to("../Python.framework/Python")
    python = XCFramework(root, VERSION, (ARM_SIMULATOR, X86_SIMULATOR))
    make_slice(python, X86_SIMULATOR, tmp_path / "slice")
    library = tmp_path / "slice" / "lib" / "python3.13"
    assert (library / "os.py").is_file()
    module = library / "lib-dynload" / "_ssl.cpython-313-iphonesimulator.so"
    assert module.read_text() == f"_ssl of {X86_SIMULATOR}\n"
    # The testbed's build takes what is in lib for the one directory of a Python (``PYTHON_VER=$(ls -1 lib)``).
    assert [path.name for path in (tmp_path / "slice" / "lib").iterdir()] == ["python3.13"]
    assert sorted(path.name for path in (tmp_path / "slice").iterdir()) == ["Python.framework", "bin", "include", "lib"]
    assert [path for path in (tmp_path / "slice").rglob("*") if path.is_symlink()] == []


def test_xcode_sees_the_users_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USER", "somebody")
    monkeypatch.setenv("PYTHONPATH", "/of/the/user")
    env = simulator_environment(make_toolchain(tmp_path / "xcode"))
    assert (env["HOME"], env["USER"]) == (str(tmp_path), "somebody")
    assert env["PATH"].startswith(f"{tmp_path}/xcode/bin:")
    assert "PYTHONPATH" not in env


def cloned(tmp_path: Path, **answers: dict[str, Any]) -> ClonedTestbed:
    testbed = write_testbed(tmp_path / "Python", tmp_path / "said", answers=answers)
    env = {"PATH": "/usr/bin:/bin", "HOME": "/home/somebody"}
    return clone_testbed(testbed, tmp_path / "framework", tmp_path / "testbed", PYTHON, env, tmp_path / "log")


def test_a_clone(tmp_path: Path) -> None:
    made = cloned(tmp_path)
    (call,) = calls(tmp_path / "said")
    assert call["arguments"] == ["clone", "--framework", str(tmp_path / "framework"), str(tmp_path / "testbed")]
    assert call["home"] == "/home/somebody"
    assert made.app == tmp_path / "testbed" / "iOSTestbed" / "app"
    assert made.packages.is_dir()


@pytest.mark.parametrize(
    "answer",
    [
        {"code": 13, "says": "framework is not an XCframework, or a simulator slice of a framework build."},
        {"code": 1},
        {"directories": ["app"]},
    ],
)
def test_a_clone_that_fails(answer: dict[str, Any], tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    with pytest.raises(TrialError) as caught:
        cloned(tmp_path, clone=answer)
    assert caught.value.message == snapshot


def test_results_are_read_back(tmp_path: Path) -> None:
    junit = PASSED.format("test_a", "")
    testbed = cloned(tmp_path, run={"junit": junit, "says": "** TEST SUCCEEDED **"})
    outcome = run_pytest(testbed, ["--rootdir=.", "test_it.py"], simulator=None, work=tmp_path, limits=Limits(60))
    assert [(case.id, case.outcome, case.seconds) for case in outcome.cases] == [("test_it.py::test_a", "passed", 0.25)]
    assert outcome.is_good
    assert outcome.peak_bytes == 0
    assert b"** TEST SUCCEEDED **" in outcome.output.read_bytes()
    assert calls(tmp_path / "said")[1]["arguments"] == [
        "run", "--", "pytest", "-o", "junit_family=xunit1", f"--junit-xml={tmp_path / 'junit.xml'}", "--rootdir=.",
        "test_it.py",
    ]  # fmt: skip


def test_a_simulator_by_its_name(tmp_path: Path) -> None:
    testbed = cloned(tmp_path)
    run_pytest(testbed, [], simulator="iPhone 16e", work=tmp_path, limits=Limits(60))
    assert calls(tmp_path / "said")[1]["arguments"][:4] == ["run", "--simulator", "iPhone 16e", "--"]


def test_a_failing_test_is_no_incident(tmp_path: Path) -> None:
    """Xcode fails where pytest does (its code is 65 then)."""
    junit = PASSED.format("test_a", '<failure message="no">assert 0</failure>')
    testbed = cloned(tmp_path, run={"junit": junit, "code": 65})
    outcome = run_pytest(testbed, [], simulator=None, work=tmp_path, limits=Limits(60))
    assert [(case.outcome, case.message) for case in outcome.cases] == [("failed", "assert 0")]
    assert outcome.incidents == ()
    assert not outcome.is_good


@pytest.mark.parametrize(
    ("answer", "cases"),
    [
        ({"code": 65, "says": "Testing failed:\n\tiOSTestbed encountered an error\n"}, []),
        # All tests passed, and the app then did not end well.
        ({"code": 65, "says": "** TEST FAILED **", "junit": PASSED.format("test_a", "")}, ["passed"]),
        ({"code": 1}, []),
    ],
)
def test_a_crash_is_an_incident(
    answer: dict[str, Any], cases: list[str], tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    outcome = run_pytest(cloned(tmp_path, run=answer), [], simulator=None, work=tmp_path, limits=Limits(60))
    assert [case.outcome for case in outcome.cases] == cases
    assert not outcome.is_good
    (incident,) = outcome.incidents
    assert f"{incident.kind}: {incident.text}" == snapshot


def test_no_results_and_a_good_end(tmp_path: Path) -> None:
    outcome = run_pytest(cloned(tmp_path), [], simulator=None, work=tmp_path, limits=Limits(60))
    assert [(case.id, case.outcome, case.message) for case in outcome.cases] == [
        ("pytest", "passed", "no results were written")
    ]
    assert outcome.is_good


def test_time_that_is_over(tmp_path: Path) -> None:
    testbed = cloned(tmp_path, run={"sleeps": 60})
    outcome = run_pytest(testbed, [], simulator=None, work=tmp_path, limits=Limits(1))
    assert [incident.kind for incident in outcome.incidents] == ["timeout"]
    assert outcome.cases == ()
