"""``forge check`` and ``forge frameworks`` say the same of what an app cannot have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from forge.audit.check import check_paths
from forge.base.errors import WheelError
from forge.base.severity import Severity
from forge.base.target import IOSVersion
from forge.frameworks.binaries import RULES
from forge.frameworks.make import make_frameworks
from forge.frameworks.options import Options
from tests.unit.audit.broken import Case, loads, wheel
from tests.unit.audit.corpus import CASES

if TYPE_CHECKING:
    from pathlib import Path

CHECK = {
    "dotted-directory": "name",
    "invalid-framework-name": "name",
    "framework-name-clash": "name clash",
    "path-clash": "path",
    "file-not-for-apps": "code",
}
FRAMEWORKS = {
    "FW201": "name",
    "FW202": "name clash",
    "FW101": "path",
    "FW103": "path",
    "FW203": "code",
    "FW204": "code",
}
PRIVACY = {
    "missing-privacy-manifest": "FW310",
    "invalid-privacy-manifest": "FW305",
    "unused-privacy-manifest": "FW306",
    "code-in-archive": "FW111",
    "startup-file": "FW110",
}
"""What both say with the same severity, or one that does not matter."""
READABLE = [
    case for case in CASES if case.promise is None and case.rule not in ("missing-target", "unmet-requirement", "large")
]


@pytest.mark.parametrize("case", READABLE, ids=lambda case: f"{case.rule}: {case.label}")
def test_check_and_frameworks_report_the_same_app_rules(tmp_path: Path, case: Case) -> None:
    path = case.make(tmp_path)
    checked = check_paths([path]).findings
    errors = {finding for finding in checked if finding.severity is Severity.ERROR}
    try:
        made = make_frameworks([path], tmp_path / "out", Options())
    except WheelError:
        assert errors  # a wheel that no tree can be made of is no sound wheel for check either
        return
    said = {FRAMEWORKS[one.rule.id] for one in made.findings if one.rule.id in FRAMEWORKS}
    assert {CHECK[finding.name] for finding in errors if finding.name in CHECK} == said
    told = {one.rule.id for one in made.findings} & set(PRIVACY.values())
    assert {PRIVACY[finding.name] for finding in checked if finding.name in PRIVACY} == told
    left_out = {one.rule.id for one in made.findings} & {"FW106"}
    assert bool(left_out) == any(finding.name == "static-archive" for finding in checked)


def test_the_comparison_sees_every_app_rule() -> None:
    assert {CHECK.get(case.rule) for case in READABLE} >= set(CHECK.values()) == set(FRAMEWORKS.values())
    assert {case.rule for case in READABLE} >= set(PRIVACY)


SDL = "@rpath/SDL3.framework/SDL3"


def test_a_provided_framework_is_there_for_check_and_frameworks(tmp_path: Path) -> None:
    path = wheel(loads(SDL))(tmp_path)
    missing = check_paths([path]).findings
    assert [(one.name, one.message) for one in missing] == [
        ("unanswered-library", f"loads {SDL}, which is not in the wheel")
    ]
    assert [one.rule.id for one in make_frameworks([path], tmp_path / "out", Options()).findings] == ["FW207"]
    assert check_paths([path], provided=frozenset({"SDL3"})).findings == ()
    assert make_frameworks([path], tmp_path / "out", Options(provided=("SDL3",))).findings == ()
    assert check_paths([path], provided=frozenset({"SDL2"})).findings == missing


def test_an_xcframework_in_a_wheel_is_called_one_by_both(tmp_path: Path) -> None:
    case = next(case for case in CASES if case.label == "XCframework")
    path = case.make(tmp_path)
    said = "a dynamic library that is not a .so in SDL3.xcframework, which the app has to embed itself (--provided)"
    assert [one.message for one in check_paths([path]).findings] == [f"is {said}"]
    made = make_frameworks([path], tmp_path / "out", Options())
    assert [one.message for one in made.findings] == [said]


BINARY = [case for case in CASES if case.rule in RULES and case.promise is None]


@pytest.mark.parametrize("case", BINARY, ids=lambda case: f"{case.rule}: {case.label}")
def test_frameworks_says_of_binaries_what_check_says(tmp_path: Path, case: Case) -> None:
    path = case.make(tmp_path)
    checked = {(one.id, one.message) for one in check_paths([path]).findings if one.name in RULES}
    made = make_frameworks([path], tmp_path / "out", Options())
    told = {(one.rule.id, one.message) for one in made.findings if one.rule.name in RULES}
    # What both look at for themselves is flat look-ups: FW213, which knows the other wheels.
    assert checked - told <= {one for one in checked if any(other.rule.id == "FW213" for other in made.findings)}
    assert told or any(other.rule.id == "FW213" for other in made.findings)
    if any(one.is_error for one in made.findings):
        assert made.directory is None


def test_every_rule_of_binaries_has_a_case() -> None:
    assert {case.rule for case in BINARY} == set(RULES)


def test_what_the_app_needs_at_least_counts_and_what_is_left_out_does_not(tmp_path: Path) -> None:
    path = wheel(loads("/System/Library/Frameworks/CryptoKit.framework/CryptoKit"))(tmp_path)

    def told(**chosen: Any) -> list[str]:
        return [one.rule.id for one in make_frameworks([path], tmp_path / "out", Options(**chosen)).findings]

    assert told() == ["IOS216"]
    assert told(ios_version=IOSVersion(13)) == []
    assert told(exclude=("example/*",)) == []


@pytest.mark.parametrize(
    ("pattern", "answers"),
    [
        ("SDL3", True),
        ("SDL*", True),
        ("@rpath/SDL?.framework/*", True),
        (SDL, True),
        ("SDL", False),
        ("@rpath/SDL*.dylib", False),
        ("rpath/SDL3.framework/SDL3", False),
    ],
)
def test_patterns_of_provided_libraries(tmp_path: Path, pattern: str, answers: bool) -> None:
    path = wheel(loads(SDL))(tmp_path)
    assert (check_paths([path], provided=frozenset({pattern})).findings == ()) is answers
    assert (make_frameworks([path], tmp_path / "out", Options(provided=(pattern,))).findings == ()) is answers
