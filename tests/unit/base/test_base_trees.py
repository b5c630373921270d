"""The files of a local source: what is hashed is what is copied."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from forge.base.trees import copy_local, local_files, local_sha256

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FORGE_HOME", str(tmp_path / "root" / "cache"))
    root = tmp_path / "root"
    for name in ("a", "sub/b", "sub/__pycache__/c.pyc", "cache/x"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "link").symlink_to("nowhere")
    (root / "directory").symlink_to("sub")
    os.mkfifo(root / "fifo")
    return root


def git(root: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    subprocess.run(["git", "-C", root, *identity, *arguments], check=True, capture_output=True)


def test_without_git(root: Path) -> None:
    assert local_files(root) == ["a", "directory", "link", "sub/b"]


def test_with_git(root: Path) -> None:
    git(root, "init", "--quiet")
    (root / ".gitignore").write_text("ignored\n")
    (root / "ignored").touch()
    (root / "deleted").touch()
    git(root, "add", "--", "a", "deleted", ".gitignore")
    (root / "deleted").unlink()
    names = local_files(root)
    assert set(names) >= {".gitignore", "a", "directory", "link", "sub/b"}
    assert not {"ignored", "deleted", "fifo", "cache/x"} & set(names)
    before = local_sha256(root)
    git(root, "commit", "--quiet", "-m", "x")
    git(root, "tag", "v1")
    git(root, "gc", "--quiet")
    (root / "ignored").write_text("changed")
    assert local_sha256(root) == before
    (root / "sub" / "b").write_text("changed")
    assert local_sha256(root) != before


def test_copied_as_it_is_hashed(root: Path, tmp_path: Path) -> None:
    (root / "a").chmod(0o755)
    os.utime(root / "a", (1, 1))
    copy = tmp_path / "copy"
    copy.mkdir()
    copy_local(root, copy)
    assert local_sha256(copy) == local_sha256(root)
    assert local_files(copy) == local_files(root)
    assert (copy / "a").stat().st_mtime == 1
    assert (copy / "link").is_symlink()
