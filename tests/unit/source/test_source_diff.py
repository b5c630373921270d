"""Diffs of files: what they say is what `forge.source.patch` makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forge.base.errors import SourceError
from forge.source.diff import file_diff
from forge.source.patch import apply_patches
from tests.unit.effort import cases

if TYPE_CHECKING:
    from pathlib import Path

LINES = st.lists(
    st.sampled_from([b"a\n", b"b\n", b"c\r\n", b" \x0c\n", b"\xff\xe2\x80\xa8\n", b"--- x\n", b"@@ -1 +1 @@\n"])
)


def applied(root: Path, old: bytes | None, new: bytes | None, name: str = "src/x.c") -> bytes | None:
    """What a file is after the diff was applied to it."""
    before, after = root / "before" / name, root / "after" / name
    for file, content in ((before, old), (after, new)):
        file.parent.mkdir(parents=True, exist_ok=True)
        if content is not None:
            file.write_bytes(content)
    (root / "before" / "other").touch()
    patch = root / "x.patch"
    patch.write_bytes(b"A reason.\n\n" + file_diff(before, after, name))
    apply_patches(root / "before", [patch])
    return before.read_bytes() if before.exists() else None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"one\ntwo\n", b"one\n2\n"), (b"one\ntwo", b"one\n2"), (b"one\n", b"one"), (b"one", b"one\n"),
        (None, b"new\n"), (None, b"new"), (b"gone\n", None), (b"", b"something\n"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["src/x.c", "with spaces/and more.c"])
def test_applied_it_gives_the_new_file(tmp_path: Path, old: bytes | None, new: bytes | None, name: str) -> None:
    assert applied(tmp_path, old, new, name) == new


@settings(max_examples=cases(25), deadline=None)
@given(LINES, LINES, st.booleans())
def test_any_lines(tmp_path_factory: pytest.TempPathFactory, old: list[bytes], new: list[bytes], ended: bool) -> None:
    before, after = b"x\n" + b"".join(old), b"y\n" + b"".join(new) + (b"" if ended else b"no end")
    assert applied(tmp_path_factory.mktemp("diff"), before, after) == after


def test_no_difference_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("same\n")
    assert file_diff(tmp_path / "x", tmp_path / "x", "x") == b""


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"\0binary", "it is a binary file"), (b"", "it is empty"), (None, "it is a symbolic link")],
)
def test_what_a_patch_cannot_say(tmp_path: Path, content: bytes | None, why: str) -> None:
    new = tmp_path / "new"
    if content is None:
        new.symlink_to("elsewhere")
    else:
        new.write_bytes(content)
    with pytest.raises(SourceError, match=f"'new' cannot be written as a patch because {why}") as error:
        file_diff(tmp_path / "old", new, "new")
    assert error.value.hint is not None


def test_odd_names(tmp_path: Path) -> None:
    (tmp_path / "a\tb").write_text("x\n")
    with pytest.raises(SourceError, match="its name has a tab"):
        file_diff(tmp_path / "old", tmp_path / "a\tb", "a\tb")
