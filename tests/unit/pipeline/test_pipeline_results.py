"""What runs left behind is read back, or refused with the line that is wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge.pipeline.results import BuiltWheel, FailedNode, ReportError, Results, TestResult, read_results

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

WHEEL = "demo-1.0-cp313-cp313-ios_12_0_arm64_iphoneos.whl"
SUBJECT = "demo 1.0 arm64-iphoneos"
ENDED = {"event": "ended", "time": 9, "name": SUBJECT, "state": "built", "seconds": 61.5, "because": ""}
GIVEN = {"event": "wheel", "time": 9, "subject": SUBJECT, "path": f"dist/{WHEEL}", "built": True, "warnings": []}


def write(directory: Path, *events: object, name: str = "a.jsonl") -> Path:
    file = directory / name
    file.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    return file


def test_a_run(tmp_path: Path) -> None:
    file = write(
        tmp_path, {"event": "phase", "time": 0, "name": SUBJECT, "phase": "build"}, ENDED, GIVEN,
        {"event": "ended", "name": "app 2 arm64-iphoneos", "state": "skipped", "seconds": 0, "because": "lib"},
        {"event": "test", "subject": SUBJECT, "python": "3.13", "passed": False, "tests": 5, "tests_passed": 4},
        {"event": "error", "subject": "lib", "exit_code": 8, "message": "m", "hint": None,
         "first_error": "x.c:1: error"},
    )  # fmt: skip
    assert read_results([file]) == Results(
        (BuiltWheel(WHEEL, f"dist/{WHEEL}", SUBJECT, built=True, seconds=61.5),),
        (TestResult(SUBJECT, "3.13", 4, 5, is_good=False),),
        (
            FailedNode("app 2 arm64-iphoneos", "not built, since lib failed", is_skipped=True),
            FailedNode("lib", "m", first_error="x.c:1: error"),
        ),
    )


def test_several_runs_of_one_wheel(tmp_path: Path) -> None:
    """One job built it, another took it from the cache; a failure in one says more than a skip in the other."""
    cached = {**GIVEN, "built": False}
    skipped = {"event": "ended", "name": "lib", "state": "skipped", "seconds": 0, "because": "x"}
    failed = {"event": "error", "subject": "lib", "exit_code": 8, "message": "m"}
    files = [
        write(tmp_path, cached, skipped, name="a"), write(tmp_path, GIVEN, failed, name="b"),
        write(tmp_path, cached, name="c"),
    ]  # fmt: skip
    results = read_results(files)
    assert [wheel.built for wheel in results.wheels] == [True]
    assert [failure.is_skipped for failure in results.failures] == [False]


def test_a_trial(tmp_path: Path) -> None:
    counts = {"passed": 3, "failed": 1, "error": 0, "crashed": 0, "skipped": 2, "xfailed": 0, "xpassed": 0}
    file = tmp_path / "test.json"
    file.write_text(
        json.dumps({"version": 1, "trials": [{"subject": WHEEL, "python": "3.14", "good": False, "counts": counts}]})
    )
    assert read_results([file]).tests == (TestResult(WHEEL, "3.14", 3, 6, is_good=False),)


def test_a_run_that_was_cut_off(tmp_path: Path) -> None:
    file = write(tmp_path, ENDED, GIVEN)
    file.write_text(file.read_text() + '{"event": "whe')
    assert len(read_results([file]).wheels) == 1


def test_nothing(tmp_path: Path) -> None:
    assert read_results([write(tmp_path)]) == Results()


@pytest.mark.parametrize(
    "text",
    [
        "built dist/x.whl\n", '{"event": "wheel"}\n', '{"a": 1}\n', "[1]\n", '{"event": "ended"}\nx\n{"event": "x"}\n',
        '{"trials": 1}', '{"trials": [1]}', '{"event": "test", "subject": "x", "tests": -1}\n',
        '{"event": "wheel", "subject": 1, "path": "x"}\n', "[" * 100_000,
    ],
)  # fmt: skip
def test_something_else(tmp_path: Path, text: str, snapshot: SnapshotAssertion) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(text)
    if text.startswith('{"event": "ended"}'):
        text = text.replace("ended", "other")
        file.write_text(text)
    with pytest.raises(ReportError) as raised:
        read_results([file])
    assert raised.value.message.replace(str(tmp_path), "") == snapshot
    assert raised.value.hint


KEYS = st.sampled_from(["event", "subject", "path", "name", "state", "message", "trials"])
VALUES: st.SearchStrategy[object] = st.sampled_from(
    ["wheel", "ended", "test", "error", "skipped", "built", "", None, 1, [], {}]
)


@given(st.lists(st.dictionaries(KEYS, VALUES), max_size=4))
def test_any_json_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, events: list[dict[str, object]]) -> None:
    file = write(tmp_path_factory.mktemp("any"), *events)
    try:
        results = read_results([file])
    except ReportError:
        return
    assert isinstance(results, Results)
