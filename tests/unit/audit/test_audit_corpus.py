from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.audit import app_checks
from forge.audit.check import check_paths
from forge.audit.policy import Limits
from forge.audit.promise import check_subject
from forge.audit.rules import all_rules
from forge.audit.subject import read_subject
from forge.wheel.privacy import openssl_manifest
from tests.unit.audit.broken import MODULE, OPENSSL, Case, bound, loads, several, sound, wheel
from tests.unit.audit.corpus import CASES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EVERY_TARGET = ("ios_12_0_arm64_iphoneos", "ios_13_0_arm64_iphonesimulator", "ios_12_0_x86_64_iphonesimulator")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}: {case.label}")
def test_broken_wheels_are_found_by_their_rule(
    tmp_path: Path, case: Case, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    if case.tiny_limits:
        monkeypatch.setattr(app_checks, "limits", lambda: Limits(1, 1))
    path = case.make(tmp_path)
    recwarn.clear()  # zipfile's, about the names that a case gives on purpose
    if case.promise is None:
        findings = check_paths([path]).findings
    else:
        findings = check_subject(read_subject(path, case.promise.forbidden_prefixes), case.promise)
    assert {finding.name for finding in findings} == {case.rule}, findings


def test_every_rule_has_a_broken_wheel() -> None:
    assert {case.rule for case in CASES} == {rule.name for rule in all_rules()}


PUBLIC = "/System/Library/Frameworks/Accelerate.framework/Frameworks/vecLib.framework/vecLib"
NEWER = "/System/Library/Frameworks/CryptoKit.framework/CryptoKit"


@pytest.mark.parametrize(
    "make",
    [
        wheel(),
        several(*EVERY_TARGET),
        wheel(loads(PUBLIC, "/usr/lib/libsqlite3.dylib", "/usr/lib/libobjc.A.dylib")),
        wheel(loads(NEWER, kind=0x80000018)),  # weak: it may be absent
        wheel(sound(imports=(("_aligned_alloc", 2, True), ("_NSLinkModule", 2, True)))),
        wheel(sound(imports=(("_printf", 2, False), ("__PyUnicode_Ready", 1, False)))),
        wheel({"opt/lib/libz.a": b"!<arch>\n", "opt/include/zlib.h": b""}, "py3-none-ios_12_0_arm64_iphoneos"),
        wheel(sound(strings=b"OpenSSL 3.0.16 11 Feb 2025\0")),  # of a header only
        wheel({MODULE: sound(strings=OPENSSL)[MODULE], "example/x.xcprivacy": openssl_manifest()}),
        wheel({MODULE: sound()[MODULE], "example/notes.txt": b"MZ is a country code", "example/run.sh": b"#!/bin/sh"}),
        wheel(sound(strings=b"\0/home/\0https://example.org/home/a/b\0/Users\0/var/folders/\0")),
    ],
)
def test_sound_wheels_are_left_alone(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    assert check_paths([make(tmp_path)]).findings == ()


def test_names_that_dyld_binds_are_in_the_symbol_table(tmp_path: Path) -> None:
    path = wheel(sound(binds=bound("_free"), lazy_binds=bound("_PyModule_Create2")))(tmp_path)
    # The test's library has no segment to write to: that is all that is wrong with it.
    assert {finding.name for finding in check_paths([path]).findings} == {"text-relocations"}
