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


def name_libraries_as_darwin() -> None:
    """Have ``ctypes.util.find_library`` look for libraries as on iOS: Darwin's is the system that ``_ctypes`` opens.

    The module chooses by ``sys.platform`` while it is imported; its code for Apple's systems asks ``_ctypes`` what is
    in dyld's shared cache, which the shim answers from its tables.
    """
    importlib.import_module("subprocess")  # it would not start a process on iOS
    own = sys.platform
    sys.platform = "ios"
    try:
        importlib.import_module("ctypes.util")
    finally:
        sys.platform = own


def run(directories: Sequence[Path], arguments: Sequence[str]) -> None:
    """Run tests as ``python -m test`` does; ends the process with regrtest's exit code.

    Args:
        directories: An iOS Python's ``lib-dynload``, and others with such modules; none for the Linux modules.
        arguments: regrtest's.
    """
    for directory in directories:
        forget(directory)
    sys.path[:0] = map(str, directories)
    if any(path.name.startswith("_ctypes.") for directory in directories for path in directory.iterdir()):
        name_libraries_as_darwin()
    sys.argv = ["test", *arguments]
    # Imported once the modules are the right ones, by name: not every Python has its tests.
    importlib.import_module("test.libregrtest.main").main()
