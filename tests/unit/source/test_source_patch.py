"""Patches: exactly or not at all."""

from __future__ import annotations

import difflib
import os
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import SourceError, ToolchainError
from forge.source.fetch import prepare
from forge.source.patch import apply_patches

from .conftest import Recorder, plain

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

OLD = "".join(f"line {number}\n" for number in range(1, 21))
NEW = OLD.replace("line 10\n", "line ten\n-- a/../x\n")


def diff(old: str, new: str, name: str = "file.txt") -> str:
    return "".join(difflib.unified_diff(old.splitlines(True), new.splitlines(True), f"a/{name}", f"b/{name}"))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    root.mkdir()
    (root / "file.txt").write_text(OLD)
    (root / "newer.txt").write_text("x")
    os.utime(root / "file.txt", (1000, 1000))
    os.utime(root / "newer.txt", (2000, 2000))
    return root


@pytest.fixture
def patch(tmp_path: Path) -> Path:
    return tmp_path / "0001.patch"


def test_it_applies_and_times_stay(tree: Path, patch: Path) -> None:
    added = "--- /dev/null\n+++ b/sub/new.txt\n@@ -0,0 +1 @@\n+new\n"
    removed = "--- a/newer.txt\t2020-01-01\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n\\ No newline at end of file\n"
    patch.write_text(f"From: someone\n\nWhy.\n---\n file.txt | 2 +-\n\n{diff(OLD, NEW)}{added}{removed}-- \n2.39\n")
    apply_patches(tree, [patch])
    assert (tree / "file.txt").read_text() == NEW
    assert (tree / "file.txt").stat().st_mtime == 1000
    assert (tree / "sub" / "new.txt").stat().st_mtime == 2000
    assert sorted(path.name for path in tree.iterdir()) == ["file.txt", "sub"]


def test_several_in_order(tree: Path, tmp_path: Path) -> None:
    texts = [OLD, NEW, NEW.replace("line ten", "line X")]
    patches = []
    for number in (1, 2):
        patches.append(tmp_path / f"{number}.patch")
        patches[-1].write_text(diff(texts[number - 1], texts[number]))
    apply_patches(tree, patches)
    assert (tree / "file.txt").read_text() == texts[2]


def test_an_offset_leaves_no_backup(tree: Path, patch: Path) -> None:
    (tree / "file.txt").write_text("more\n" * 5 + OLD)
    patch.write_text(diff(OLD, NEW))
    apply_patches(tree, [patch])
    assert (tree / "file.txt").read_text() == "more\n" * 5 + NEW
    assert sorted(path.name for path in tree.iterdir()) == ["file.txt", "newer.txt"]


def refused(tree: Path, patch: Path, tmp_path: Path) -> tuple[str, str | None]:
    with pytest.raises(SourceError) as caught:
        apply_patches(tree, [patch])
    return plain(caught.value.message, tmp_path), caught.value.hint


def test_no_fuzz(tree: Path, patch: Path, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    (tree / "file.txt").write_text(OLD.replace("line 8", "line eight"))
    patch.write_text(diff(OLD, NEW))
    assert refused(tree, patch, tmp_path) == snapshot


def test_not_twice(tree: Path, patch: Path, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    patch.write_text(diff(OLD, NEW))
    apply_patches(tree, [patch])
    assert refused(tree, patch, tmp_path) == snapshot


BAD = {
    "empty": "",
    "prose": "no diff here\n",
    "ed script": "1c\nhello\n.\nw\n!touch pwned\n",
    "outside": diff(OLD, NEW, "../outside.txt"),
    "outside, one side": "--- a/file.txt\n+++ b/../outside.txt\n@@ -1 +1 @@\n-line 1\n+x\n",
    "absolute": "--- /etc/x\n+++ /etc/x\n@@ -1 +1 @@\n-a\n+b\n",
    "through a link": diff(OLD, NEW, "link/file.txt"),
    "a link": diff(OLD, NEW, "to-file"),
    "makes a link": "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+x\n",
    "binary": "diff --git a/x b/x\nGIT binary patch\nliteral 1\nIcmZPo000310RR91\n\n",
    "rename": "diff --git a/file.txt b/x\nsimilarity index 100%\nrename from file.txt\nrename to x\n",
    "missing file": diff(OLD, NEW, "other.txt"),
    "damaged hunk": diff(OLD, NEW).replace("@@ -7", "@@ -x"),
}


@pytest.mark.parametrize("case", BAD)
def test_refused(case: str, tree: Path, patch: Path, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file.txt").write_text(OLD)
    (tree / "link").symlink_to(outside)
    (tree / "to-file").symlink_to(outside / "file.txt")
    patch.write_text(BAD[case])
    assert refused(tree, patch, tmp_path) == snapshot
    assert (outside / "file.txt").read_text() == OLD
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0001.patch", "outside", "tree"]


def test_no_patch_file(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"cannot read the patch none\.patch"):
        apply_patches(tree, [tmp_path / "none.patch"])


def test_no_patch_program(tree: Path, patch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "defpath", str(tmp_path))
    apply_patches(tree, [])
    with pytest.raises(ToolchainError, match="'patch' is missing"):
        apply_patches(tree, [patch])


def test_the_users_settings_do_not_count(
    tree: Path, patch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither another program of that name, which is first on PATH, nor what changes the machine's own."""
    own = tmp_path / "bin" / "patch"
    own.parent.mkdir()
    own.write_text("#!/bin/sh\nexit 0\n")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", str(own.parent), prepend=os.pathsep)
    monkeypatch.setenv("POSIXLY_CORRECT", "1")  # GNU patch then keeps a file that becomes empty
    patch.write_text("--- a/newer.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n\\ No newline at end of file\n")
    apply_patches(tree, [patch])
    assert [path.name for path in tree.iterdir()] == ["file.txt"]


def test_prepare_is_whole_or_not_at_all(tree: Path, patch: Path, tmp_path: Path) -> None:
    progress = Recorder()
    (tree / ".git").mkdir()
    out = tmp_path / "out"
    patch.write_text(diff(OLD, NEW))
    prepare(tree, [patch], out, progress)
    assert (out / "file.txt").read_text() == NEW
    assert (tree / "file.txt").read_text() == OLD
    assert not (out / ".git").exists()
    with pytest.raises(SourceError):
        prepare(tree, [patch, patch], out, progress)
    assert (out / "file.txt").read_text() == NEW
    assert progress.phases == ["tree: unpack", "tree: patch"] * 2
