from __future__ import annotations

import os
from typing import TYPE_CHECKING

from forge.base.hashing import file_sha256
from forge.base.manifest import changed_since, tree_manifest

if TYPE_CHECKING:
    from pathlib import Path


def test_files_and_links(tmp_path: Path) -> None:
    (tmp_path / "a" / "__pycache__").mkdir(parents=True)
    (tmp_path / "a" / "__pycache__" / "x.pyc").touch()
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "a" / "x.c").write_text("int x;\n")
    (tmp_path / "to a directory").symlink_to("a")
    (tmp_path / "to nothing").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    assert tree_manifest(tmp_path) == {
        "a/x.c": file_sha256(tmp_path / "a" / "x.c"), "to a directory": "-> a", "to nothing": "-> nowhere",
    }  # fmt: skip


def test_what_has_changed() -> None:
    assert changed_since({"same": "1", "other": "1", "gone": "1"}, {"same": "1", "other": "2", "new": "3"}) == {
        "other": "2", "new": "3",
    }  # fmt: skip
