"""The catalogue of failures: each entry explains its own example, and no other entry is taken for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from forge.base.errors import StorageError
from forge.failures import docs
from forge.failures.catalogue import Change, ChangeKind, Entry, all_entries
from forge.failures.match import explain_lines, explain_log
from forge.recipe.model import Language

TOOLS = {"configure", "cmake", "meson", "compiler", "linker", "rust", "python", "pip", "forge", "tests"}
GOOD_LOG = """\
checking whether the C compiler works... yes
checking for errno.h... no
-- Could NOT find ZLIB (missing: ZLIB_LIBRARY ZLIB_INCLUDE_DIR)
Run-time dependency openmp found: NO (tried pkgconfig and cmake)
[3/9] clang -Werror=format -framework Python -c src/error.c -o error.o
src/a.c:3:1: warning: unused function 'x' [-Wunused-function]
warning: pkg/_x.pyx:10:5: Unraisable exception in function 'x' not reported
Successfully built demo-1.0-cp313-cp313-ios_12_0_arm64_iphoneos.whl
"""


def ids(entry: Entry) -> str:
    return entry.id


@pytest.mark.parametrize("entry", all_entries(), ids=ids)
class TestEntry:
    def test_it_explains_its_example(self, entry: Entry) -> None:
        lines = [*GOOD_LOG.splitlines(), *entry.example.splitlines(), "ninja: build stopped: subcommand failed."]
        best = explain_lines(lines).matches[0]
        assert best.entry.id == entry.id
        assert best.line == lines[best.number - 1]

    def test_it_is_written_out(self, entry: Entry) -> None:
        assert entry.tool in TOOLS
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry.id)
        for text in (entry.cause, entry.mend):
            assert text.endswith(".")
            named = set(re.findall(r"(?<!\$)\{(\w+)\}", text))
            assert named <= set(entry.signature.groupindex)

    def test_its_changes_can_be_made(self, entry: Entry) -> None:
        for change in entry.changes:
            assert bool(change.name) == (change.kind in (ChangeKind.VARIABLE, ChangeKind.FLAG))
            assert set(re.findall(r"(?<!\$)\{(\w+)\}", change.value)) <= set(entry.signature.groupindex)
            if change.kind is ChangeKind.LANGUAGE:
                Language(change.value)
            if change.kind is ChangeKind.REQUIRES:
                Requirement(change.value)

    def test_what_it_says_has_no_placeholder_left(self, entry: Entry) -> None:
        best = explain_lines(entry.example.splitlines()).matches[0]
        assert not re.search(r"(?<!\$)\{\w+\}", best.cause + best.mend)


def test_changes_have_what_was_matched_in_them() -> None:
    match = explain_lines(["ld64.lld: error: library not found for -lexpat"]).matches[0]
    assert match.changes == (Change(ChangeKind.LIBRARY, "expat"),)
    unfilled = Change(ChangeKind.HOST, "{name}")
    assert unfilled.filled({"name": None, "other": "x"}) is None
    assert unfilled.filled({"name": "x"}) == Change(ChangeKind.HOST, "x")


def test_there_are_enough_and_each_once() -> None:
    entries = all_entries()
    assert len(entries) >= 60
    assert len({entry.id for entry in entries}) == len(entries)


def test_a_good_log_has_no_failure() -> None:
    explanation = explain_lines(GOOD_LOG.splitlines())
    assert (explanation.matches, explanation.first) == ((), None)


def test_the_first_line_counts_and_the_general_come_last() -> None:
    lines = ["a.c:1:10: fatal error: 'x.h' file not found", "ld64.lld: error: library not found for -lrt",
             "a.c:9:9: fatal error: 'omp.h' file not found"]  # fmt: skip
    found = [match.entry.id for match in explain_lines(lines).matches]
    assert found[:2] == ["linux-library", "openmp"]
    assert set(found[2:]) >= {"header-missing", "compile-error"}


def test_of_general_ones_that_of_the_first_error_is_preferred() -> None:
    lines = [
        "/bin/sh: 1: pkgutil: not found",
        "checking for x... no",
        "src/a.c:10:2: error: expected ';' after expression",
    ]
    assert [match.entry.id for match in explain_lines(lines).matches] == ["compile-error", "sh-command-missing"]


def test_colours_and_long_lines_and_other_bytes(tmp_path: Path) -> None:
    log = tmp_path / "log"
    long = b"error " * 400_000
    log.write_bytes(
        b"\xff\x00\n" + long + b"\n\x1b[1m\x1b[31mconfigure: error: cannot run C compiled programs.\x1b[0m\r\n"
    )
    match = explain_log(log).matches[0]
    assert (match.entry.id, match.number) == ("configure-runs-target-programs", 3)


def test_of_a_large_log_the_end_is_read(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("a line of no interest\n" * 300_000 + "Hunk #2 FAILED at 31.\n")
    match = explain_log(log).matches[0]
    assert (match.entry.id, match.number) == ("patch-rejected", 300_001)


def test_no_log(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot read the log"):
        explain_log(tmp_path / "log")


def test_docs_are_made_from_the_catalogue() -> None:
    page = Path(__file__).parents[3] / "docs" / "failures.md"
    assert page.read_text(encoding="utf-8") == docs.render(), "run: python -m forge.failures.docs > docs/failures.md"
