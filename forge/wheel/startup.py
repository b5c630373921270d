"""Files that Python's ``site`` module reads when it starts: ``.pth`` and, from 3.15 on, ``.start`` (PEP 829).

It reads them in site directories only, at their top and not where the name starts with a dot (``Lib/site.py``). The
directory of an app's packages is one if the app calls ``site.addsitedir`` for it, as CPython's testbed does; being in
``PYTHONPATH`` does not make it one (``Doc/using/ios.rst``).
"""

from __future__ import annotations

import re

SUFFIXES = (".pth", ".start")
_FIRST_START = (3, 15)
_ENTRY = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
"""``pkg.mod:callable``, what ``pkgutil.resolve_name`` takes when it is strict."""


def is_startup_file(path: str) -> bool:
    """Whether ``site`` reads a file.

    Args:
        path: Below site-packages.
    """
    return "/" not in path and path.endswith(SUFFIXES) and not path.startswith(".")


def startup_effects(path: str, data: bytes, python: tuple[int, int]) -> tuple[str, ...]:
    """What a start-up file does where it is read, and what Python does not take of it; empty for nothing.

    Args:
        path: Below site-packages; `is_startup_file` holds of it.
        data: The file.
        python: The oldest Python that it is for.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return ("is not UTF-8",)
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if path.endswith(".pth"):
        code = sum(line.startswith(("import ", "import\t")) for line in lines)
        found = []
        if len(lines) > code:
            found.append("adds directories to Python's path")
        if code:
            found.append("runs code when Python starts")
        return tuple(found)
    wrong = [f"{line} is not package.module:callable" for line in lines if _ENTRY.fullmatch(line) is None]
    if len(lines) == len(wrong):
        return tuple(wrong)
    said = "; Pythons before 3.15 do not know such files" if python < _FIRST_START else ""
    return (f"runs code when Python starts{said}", *wrong)
