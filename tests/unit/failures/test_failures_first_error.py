from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.failures.first_error import first_error

if TYPE_CHECKING:
    from pathlib import Path

LINES = [
    "../src/_x.c:3:10: fatal error: 'endian.h' file not found",
    "src/a.cpp:10:2: error: no member named 'x'",
    "ld64.lld: error: undefined symbol: _foo",
    "error[E0425]: cannot find value `x` in this scope",
    'meson.build:12:4: ERROR: Dependency "x" not found',
    "CMake Error at CMakeLists.txt:3 (find_package):",
    "ModuleNotFoundError: No module named 'puccinialin'",
    "sh: 1: cmake: command not found",
]


@pytest.mark.parametrize("line", LINES)
def test_found(line: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(f"checking for errors... none\nwarning: deprecated\n-Werror=format\n{line}\nninja: stopped\n")
    assert first_error(log) == line


def test_the_first_of_several(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"\xff\xfe\n" + "\n".join(LINES).encode())
    assert first_error(log) == LINES[0]


@pytest.mark.parametrize("text", ["", "all is well\n", "0 errors\nerror.c compiled\n-o error.o\n"])
def test_none(text: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(text)
    assert first_error(log) is None


def test_no_log(tmp_path: Path) -> None:
    assert first_error(tmp_path / "log") is None
