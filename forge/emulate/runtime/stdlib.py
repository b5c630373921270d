"""CPython's own tests in the emulating process: ``test.libregrtest``, with Mach-O extension modules first on the path.

What this process imported before its paths were set are the Linux modules. They are forgotten, so that the tests
import the others; what holds them already (the loader has ``_ctypes``, ``_struct``, ``array``) goes on with them.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PURE = frozenset(
    {
        "bisect", "csv", "ctypes", "datetime", "decimal", "hashlib", "heapq", "json", "pickle", "random", "selectors",
        "socket", "statistics", "struct", "subprocess", "tempfile", "tomllib", "zipfile",
    }
)  # fmt: skip
"""Modules of Python code that hold an extension module's contents, and may be imported by now."""


def keep_out() -> None:
    """Have the loader, which reads TOML, do with ``datetime``'s Python code.

    ``_datetime``'s types are static, of which CPython has room for one module's (``_Py_MAX_MANAGED_STATIC_EXT_TYPES``
    in ``pycore_typeobject.h``): a second ``_datetime`` in a process would write past its table.
    """
    # None makes import raise ImportError (the import system's reference, "The module cache").
    sys.modules["_datetime"] = None  # type: ignore[assignment]  # typeshed knows modules alone


def forget(directory: Path) -> None:
    """Forget modules that a directory has, and pure ones that hold their contents.

    Args:
        directory: An iOS Python's ``lib-dynload``.
    """
    ours = {path.name.partition(".")[0] for path in directory.glob("*.so")} | _PURE
    for name in list(sys.modules):
        if name.partition(".")[0] in ours:
            del sys.modules[name]


def run(directory: Path | None, arguments: Sequence[str]) -> None:
    """Run tests as ``python -m test`` does; ends the process with regrtest's exit code.

    Args:
        directory: An iOS Python's ``lib-dynload``; None for the Linux modules.
        arguments: regrtest's.
    """
    if directory is not None:
        forget(directory)
        sys.path.insert(0, str(directory))
    sys.argv = ["test", *arguments]
    # Imported once the modules are the right ones, by name: not every Python has its tests.
    importlib.import_module("test.libregrtest.main").main()
