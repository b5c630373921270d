"""Records of how Python was built name the build machine's tools, not where a build found them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.ios_python.xcframework import name_tools

if TYPE_CHECKING:
    from pathlib import Path

BEFORE = "'INSTALL': '/c/builds/3.13.5-x.1/.tools/install -c', 'MKDIR_P': '/c/builds/3.13.5-x.1/.tools/mkdir -p',\n"
AFTER = "'INSTALL': 'install -c', 'MKDIR_P': 'mkdir -p',\n"


def test_tools_go_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "_sysconfigdata__ios_x.py").write_text(BEFORE)
    (tmp_path / "config" / "Makefile").write_text("INSTALL=\t/c/builds/a.1/.tools/install -c\nprefix=/c/.toolsx/y\n")
    (tmp_path / "_x.so").write_bytes(b"\0/c/.tools/install")
    name_tools(tmp_path)
    assert (tmp_path / "_sysconfigdata__ios_x.py").read_text() == AFTER
    assert (tmp_path / "config" / "Makefile").read_text() == "INSTALL=\tinstall -c\nprefix=/c/.toolsx/y\n"
    assert (tmp_path / "_x.so").read_bytes() == b"\0/c/.tools/install"
