from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from forge.emulate.session import Case, Incident, Outcome
from forge.trial.comparison import compare
from forge.trial.report import HONEST_QEMU, Trial, counts, render_text, to_json, to_junit

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

SCHEMA = json.loads((Path(__file__).parents[3] / "schemas" / "test.schema.json").read_text(encoding="utf-8"))
APP = "/cache/app/iphonesimulator"


def bound(symbol: str, source: str, entry: str = "", image: str = "one.so") -> dict[str, Any]:
    library = "/usr/lib/libSystem.B.dylib"
    return {"image": f"{APP}/{image}", "library": library, "symbol": symbol, "source": source, "entry": entry}


CASES = (
    Case("test_a.py::test_good", "passed", 0.25),
    Case("test_a.py::TestIt::test_bad", "failed", 0.5, "def test_bad():\n>  assert 1 == 2\nE  assert 1 == 2\n\nFAILED"),
    Case("test_b.py", "error", 0.0, "E  no such \x1bmodule \ud800"),
    Case("test_b.py::test_crash", "crashed", 0.0, "SIGSEGV in _f of one.so"),
    Case("test_b.py::test_skip", "skipped", 0.0, "Skipped: not here"),
    Case("test_b.py::test_expected", "xfailed", 0.125, "as it should"),
    Case("test_b.py::test_unexpected", "xpassed", 0.125),
)
INCIDENTS = (
    Incident("fault", "test_b.py::test_crash", "SIGSEGV in _f of one.so", {"kind": "fault", "signal": "SIGSEGV"}),
    Incident("exit", None, "exited with code 4: usage: pytest"),
)
REPORTS = (
    {
        "modules": {"demo.one": f"{APP}/one.so"},
        "bindings": [bound("_malloc", "glibc", "malloc"), bound("_kqueue", "trap"), bound("_weak", "missing")],
    },
    {
        "modules": {"demo.one": f"{APP}/one.so", "demo.two": f"{APP}/two.so"},
        "bindings": [bound("_malloc", "glibc", "malloc"), bound("_open", "shim", "forge_darwin_open", "two.so")],
    },
)
BAD = Trial(
    "demo 1.0 arm64-iphoneos", ("demo-1.0-cp313-cp313-ios_12_0_arm64_iphoneos.whl", "pytest-9.0-py3-none-any.whl"),
    Outcome(CASES, INCIDENTS, REPORTS, 12.345, 200 * 2**20, Path("/cache/log")), HONEST_QEMU,
)  # fmt: skip
HOST = (
    Case("test_a.py::test_good", "passed", 0.1),
    Case("test_a.py::TestIt::test_bad", "passed", 0.1),
    Case("test_b.py", "error", 0.0, "E  no such module"),
    Case("test_b.py::test_only_here", "passed", 0.1),
)
COMPARED = Trial(
    "demo 1.0 x86_64-iphonesimulator", ("demo-1.0-cp313-cp313-ios_12_0_x86_64_iphonesimulator.whl",),
    Outcome(CASES[:3], (), REPORTS, 1.0, 2**20, Path("/cache/log")),
    comparison=compare(CASES[:3], HOST, ("demo-1.0-cp313-cp313-manylinux_2_28_x86_64.whl",), 0.75),
)  # fmt: skip
GOOD = Trial(
    "demo 1.0 x86_64-iphonesimulator", (), Outcome(CASES[:1], (), (), 0.25, 0, Path("/cache/log")),
)  # fmt: skip
BAD_HERE = frozenset({"test_a.py::TestIt::test_bad", "test_b.py::test_only_here"})
"""What passes with the Linux wheel only."""
EXPLAINED = replace(COMPARED, explained=BAD_HERE)
NOTHING = Trial("demo", (), Outcome((), (), (), 0.0, 0, Path("/cache/log")))


@pytest.mark.parametrize(
    "trial", [BAD, COMPARED, EXPLAINED, GOOD, NOTHING], ids=["bad", "compared", "explained", "good", "nothing"]
)
def test_text(trial: Trial, snapshot: SnapshotAssertion) -> None:
    assert render_text(trial) == snapshot


def crashed(test: str | None) -> Trial:
    return replace(EXPLAINED, outcome=replace(EXPLAINED.outcome, incidents=(Incident("fault", test, "SIGSEGV"),)))


@pytest.mark.parametrize(
    ("trial", "good"),
    [
        (BAD, False), (GOOD, True), (NOTHING, False),
        # test_b.py cannot be collected with the Linux wheel either.
        (COMPARED, False), (EXPLAINED, True),
        (replace(COMPARED, explained=BAD_HERE - {"test_b.py::test_only_here"}), False),
        (crashed("test_a.py::TestIt::test_bad"), True), (crashed("test_b.py"), False), (crashed(None), False),
        (replace(GOOD, comparison=compare(CASES[:1], [], (), 0.1)), False),
        (replace(BAD, explained=frozenset(case.id for case in CASES)), False),
    ],
)  # fmt: skip
def test_what_counts_against_a_wheel(trial: Trial, good: bool) -> None:
    assert trial.is_good is good
    assert json.loads(to_json([trial]))["trials"][0]["good"] is good


def test_text_says_what_stands_in_for_accelerate() -> None:
    rows = [bound("_dgesdd$NEWLAPACK$ILP64", "openblas64", "scipy_dgesdd_64_")]
    trial = Trial("demo", (), Outcome(CASES[:1], (), ({"modules": {}, "bindings": rows},), 0.25, 0, Path("l")))
    text = render_text(trial, bindings=True)
    assert "  bound: 1 openblas64\n  Accelerate's BLAS and LAPACK are replaced by a Linux OpenBLAS" in text
    assert "    one.so: _dgesdd$NEWLAPACK$ILP64 -> scipy_dgesdd_64_ (openblas64)\n" in text
    assert "OpenBLAS" not in render_text(BAD, bindings=True)


def test_text_with_bindings(snapshot: SnapshotAssertion) -> None:
    assert render_text(BAD, bindings=True) == snapshot


def test_long_lists_are_cut() -> None:
    cases = tuple(Case(f"t::{i}", "failed", 0.0, "why") for i in range(1234))
    modules = {f"m{i:02}": f"/m{i}.so" for i in range(33)}
    text = render_text(Trial("x", (), Outcome(cases, (), ({"modules": modules, "bindings": []},), 1.0, 0, Path("l"))))
    assert "… and 1214 more" in text
    assert "and 13 more" in text
    assert "1,234 failed" in text
    assert len(text.splitlines()) < 60


@pytest.mark.parametrize("trials", [[], [BAD], [BAD, COMPARED, GOOD, NOTHING]])
def test_json_is_as_the_schema_has_it(trials: list[Trial]) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    data = json.loads(to_json(trials))
    jsonschema.validate(data, SCHEMA)
    assert [row["subject"] for row in data["trials"]] == [trial.subject for trial in trials]


def test_the_schema_refuses_what_is_not_one() -> None:
    data = json.loads(to_json([BAD]))
    for path, value in ((("cases", 0, "outcome"), "fine"), (("incidents", 0, "kind"), "bad luck"), (("good",), 1)):
        wrong = json.loads(json.dumps(data))
        at = wrong["trials"][0]
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = value
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, SCHEMA)


def test_json_says_what_happened() -> None:
    (row,) = json.loads(to_json([BAD]))["trials"]
    assert row["good"] is False
    assert row["counts"] == dict.fromkeys(row["counts"], 1)
    assert row["modules"] == {"demo.one": f"{APP}/one.so", "demo.two": f"{APP}/two.so"}
    assert [(b["symbol"], b["source"]) for b in row["bindings"]] == [  # each once, in order of the file
        ("_kqueue", "trap"), ("_malloc", "glibc"), ("_weak", "missing"), ("_open", "shim"),
    ]  # fmt: skip
    assert row["how"] == HONEST_QEMU


def test_junit(snapshot: SnapshotAssertion) -> None:
    text = to_junit([BAD, GOOD])
    root = ET.fromstring(text)  # noqa: S314 - made right here
    assert [suite.get("tests") for suite in root] == ["8", "1"]
    assert [(root[0].get("failures")), root[0].get("errors"), root[0].get("skipped")] == ["1", "3", "2"]
    assert text == snapshot


def test_counts() -> None:
    assert sum(counts(BAD).values()) == len(CASES)
    assert set(counts(NOTHING).values()) == {0}


def test_comparison() -> None:
    made = COMPARED.comparison
    assert made is not None
    assert (made.host_passed, made.both_passed) == (3, 1)
    assert made.ratio == pytest.approx(1 / 3)
    assert [(d.id, d.emulated, d.host, d.is_worse) for d in made.differences] == [
        ("test_a.py::TestIt::test_bad", "failed", "passed", True),
        ("test_b.py::test_only_here", "absent", "passed", True),
    ]
    assert made.differences[0].message.endswith("FAILED")
    same = compare(CASES, CASES, (), 1.0)
    assert (same.ratio, same.differences) == (1.0, ())
    skipped = compare([Case(HOST[0].id, "skipped", 0.0)], HOST[:1], (), 1.0)
    assert (skipped.ratio, skipped.skipped_here, skipped.differences[0].is_worse) == (1.0, 1, False)
    better = compare(HOST[:1], [Case(HOST[0].id, "failed", 0.0, "on Linux")], (), 1.0)
    assert (better.ratio, better.differences[0].message, better.differences[0].is_worse) == (1.0, "on Linux", False)


def test_parameters_that_print_otherwise_are_paired_in_order() -> None:
    def ran(parameters: list[str], outcomes: list[str]) -> list[Case]:
        return [Case(f"t.py::f[{p}]", o, 0.0) for p, o in zip(parameters, outcomes, strict=True)]

    here = ran(["1", "at 0x5a", "at 0x6b"], ["passed", "passed", "failed"])
    there = ran(["1", "at 0x7c", "at 0x8d"], ["passed", "passed", "passed"])
    compared = compare(here, there, (), 1.0)
    assert (compared.host_passed, compared.both_passed) == (3, 2)
    assert [(d.id, d.emulated, d.host) for d in compared.differences] == [("t.py::f[at 0x6b]", "failed", "passed")]


def test_tests_of_one_function_are_not_paired_where_their_number_differs() -> None:
    here = [Case("t.py::f[a]", "passed", 0.0)]
    there = [Case("t.py::f[b]", "passed", 0.0), Case("t.py::f[c]", "passed", 0.0)]
    compared = compare(here, there, (), 1.0)
    assert (compared.host_passed, compared.both_passed) == (2, 0)
    assert {(d.id, d.emulated, d.host) for d in compared.differences} == {
        ("t.py::f[a]", "passed", "absent"),
        ("t.py::f[b]", "absent", "passed"),
        ("t.py::f[c]", "absent", "passed"),
    }
