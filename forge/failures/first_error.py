"""The first real error in a build's log: what compilers say before a dozen tools report that another one failed."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_ERROR = re.compile(
    r"""
      :\s(?:fatal\s)?error:\s           # clang, gcc, flang: file.c:3:1: error: ...
    | ^(?:ld64\.lld|ld|clang|flang(?:-new)?|error)(?:\[E\d+\])?:\s(?:error:\s)?(?!warning)   # linkers; rustc, cargo
    | ^CMake\sError | ^(?:\S*meson(?:\.build)?:\d+:\d+:\s)?ERROR:\s   # meson and pip
    | ^configure:\serror:\s
    | ^[\w.]*(?:Error|Exception):\s     # the last line of a Python traceback
    | ^(?:error:\s)?[^\s:]+\.pyx:\d+:\d+:\s   # Cython; its warnings say what they are first
    | \bcommand\ not\ found\b
    """,
    re.VERBOSE,
)
_MOST_LINES = 1 << 20
"""How many lines of a log are looked at."""


def first_error(log: Path) -> str | None:
    """The first line of a log that reports an error; None if no line is known to.

    Args:
        log: The log file. One that cannot be read has none.
    """
    try:
        with log.open("rb") as file:
            lines = (line.decode("utf-8", errors="replace").rstrip() for line in itertools.islice(file, _MOST_LINES))
            found = first_of(lines)
    except OSError:
        return None
    return None if found is None else found[1]


def first_of(lines: Iterable[str]) -> tuple[int, str] | None:
    """The first of some lines that reports an error, and its number from 1; None if no line is known to."""
    return next(((number, line) for number, line in enumerate(lines, 1) if _ERROR.search(line)), None)
