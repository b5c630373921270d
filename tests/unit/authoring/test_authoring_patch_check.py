"""Patches tried on another source."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forge.authoring.patch_check import FailedHunk, Fit, TriedPatch, told, try_patches
from forge.base.errors import SourceError
from forge.source.patch import apply_patches
from tests.unit.effort import cases

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

OLD = [f"line {number}" for number in range(1, 31)]
NEW = [line if number != 9 else "changed" for number, line in enumerate(OLD)]


def diff(old: list[str], new: list[str], name: str = "x.c") -> str:
    lines = difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", lineterm="")
    return "".join(f"{line}\n" for line in lines)


class Source:
    def __init__(self, root: Path) -> None:
        self.tree = root / "tree"
        self.root = root
        self.tree.mkdir()

    def write(self, lines: list[str], name: str = "x.c") -> None:
        (self.tree / name).write_text("".join(f"{line}\n" for line in lines))

    def read(self) -> Mapping[str, list[str]]:
        return {path.name: path.read_text().splitlines() for path in self.tree.iterdir()}

    def tried(self, *patches: str) -> tuple[TriedPatch, ...]:
        files = []
        for number, text in enumerate(patches):
            files.append(self.root / f"{number}.patch")
            files[-1].write_text(text)
        return try_patches(self.tree, files)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path)


def test_it_applies(source: Source) -> None:
    source.write(OLD)
    (tried,) = source.tried(diff(OLD, NEW))
    assert (tried.fit, told(tried)) == (Fit.APPLIES, ["the patch 0.patch applies"])
    assert source.read() == {"x.c": NEW}


def test_elsewhere(source: Source) -> None:
    source.write(["more"] * 3 + OLD)
    (tried,) = source.tried(diff(OLD, NEW))
    assert (tried.fit, tried.offsets) == (Fit.MOVED, (3,))
    assert told(tried) == ["the patch 0.patch applies, 3 lines further down"]
    source.write(OLD[1:])
    (tried,) = source.tried(diff(OLD, NEW))
    assert told(tried) == ["the patch 0.patch applies, 1 line further up"]


def test_a_hunk_that_fails(source: Source, snapshot: SnapshotAssertion) -> None:
    two = [*NEW[:24], "also changed", *NEW[25:]]
    source.write(["more"] * 2 + [line if line != "line 25" else "line 25, rewritten" for line in OLD])
    before = source.read()
    (tried,) = source.tried(diff(OLD, two))
    assert tried.fit is Fit.FAILS
    assert [(hunk.file, hunk.number, hunk.line) for hunk in tried.failed] == [("x.c", 2, 24)]
    assert "\n".join(told(tried)) == snapshot
    assert source.read() == before, "nothing of it stays"


def test_a_hunk_of_which_nothing_is_there(source: Source, snapshot: SnapshotAssertion) -> None:
    source.write(["{", "}", "another", "file"])
    (tried,) = source.tried(diff(["{", "one", "}"], ["{", "two", "}"]))
    assert "\n".join(told(tried)) == snapshot


def test_a_file_that_is_gone(source: Source) -> None:
    source.write(OLD, "y.c")
    (tried,) = source.tried(diff(OLD, NEW))
    assert tried.failed[0].line == 0
    assert told(tried) == ["the patch 0.patch does not apply: hunk 1 of x.c fails, there is no such file"]


def test_what_the_source_has_already(source: Source) -> None:
    source.write(["more", *NEW])
    (tried,) = source.tried(diff(OLD, NEW))
    assert tried.fit is Fit.INCLUDED
    assert told(tried) == ["the patch 0.patch is in the new source already: remove it from source.patches"]
    assert source.read() == {"x.c": ["more", *NEW]}


def test_a_new_file(source: Source) -> None:
    patch = "--- /dev/null\n+++ b/new.c\n@@ -0,0 +1,2 @@\n+one\n+two\n"
    source.write(OLD)
    assert source.tried(patch)[0].fit is Fit.APPLIES
    assert source.read()["new.c"] == ["one", "two"]
    assert source.tried(patch)[0].fit is Fit.INCLUDED
    source.write(["other"], "new.c")
    (tried,) = source.tried(patch)
    assert (tried.fit, tried.failed[0].there) == (Fit.FAILS, ("other",))


def test_each_patch_stands_for_itself(source: Source) -> None:
    source.write(OLD)
    later = [*NEW[:19], "and this", *NEW[20:]]
    wrong = diff(["nothing", "like", "it"], ["at", "all"])
    fits = [tried.fit for tried in source.tried(diff(OLD, NEW), wrong, diff(NEW, later))]
    assert fits == [Fit.APPLIES, Fit.FAILS, Fit.APPLIES]
    assert source.read() == {"x.c": later}


def test_what_is_no_patch(source: Source) -> None:
    source.write(OLD)
    (tried,) = source.tried("nothing\n")
    assert tried.fit is Fit.FAILS
    assert "changes nothing" in tried.said


def test_long_hunks_are_cut() -> None:
    hunk = FailedHunk("x.c", 1, 5, tuple(f"a{n}" for n in range(40)), tuple(f"b{n}" for n in range(40)))
    lines = told(TriedPatch("p", Fit.FAILS, failed=(hunk,)))
    assert lines.count("    …") == 2
    assert len(lines) < 40


lines = st.lists(st.sampled_from(["a", "b", "c", "{", "}", ""]), max_size=14)


@settings(max_examples=cases(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=lines, new=lines, other=lines)
def test_it_says_what_the_program_does(
    old: list[str], new: list[str], other: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever is said of hunks: a patch applies if and only if a build's would."""
    if old == new or not old or not new:
        return
    root = tmp_path_factory.mktemp("patch")
    source = Source(root)
    source.write(other)
    patch = root / "0.patch"
    patch.write_text(diff(old, new))
    (root / "copy").mkdir()
    copy = Source(root / "copy")
    copy.write(other)
    try:
        apply_patches(copy.tree, [patch])
    except SourceError:
        applies = False
    else:
        applies = True
    (tried,) = source.tried(diff(old, new))
    assert (tried.fit in (Fit.APPLIES, Fit.MOVED)) == applies
    assert source.read() == (copy.read() if applies else {"x.c": other})
