"""The loader switched on in this process."""

from __future__ import annotations

import atexit
import ctypes
import importlib
import os
from typing import TYPE_CHECKING

from forge.emulate.runtime.errors import MachOImportError
from forge.emulate.runtime.finders import install_finders
from forge.emulate.runtime.loader import Loader
from forge.emulate.runtime.native import Native, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from forge.emulate.runtime.config import LoaderConfig
    from forge.emulate.runtime.system_interface import System

_installed: list[Loader] = []
"""The process's loader: a process has one image table, so it is of the process and not of a caller."""


def install(config: LoaderConfig, system: System | None = None) -> Loader:
    """Make this process import and open Mach-O files; once a process.

    Args:
        config: What the runner says.
        system: Darwin's system libraries; None for `forge.emulate.runtime.system`'s.

    Returns:
        The loader.

    Raises:
        AddressTakenError: Something of this process is where Darwin's commpage has to be.
        MachOImportError: It is installed already, or this machine or Python cannot be used.
        OSError: The shim or the report's file cannot be opened.
    """
    if _installed:
        raise MachOImportError("the loader is installed already")
    native = Native(config.shim)
    native.check_commpage()
    if system is None:
        # Imported when asked for: the loader works with other libraries, and tests bring their own.
        openblas = {"openblas32": config.openblas32, "openblas64": config.openblas64}
        there = {name: path for name, path in openblas.items() if path is not None}
        system = importlib.import_module("forge.emulate.runtime.system").System(native.shim, there)
        assert system is not None  # noqa: S101 - an instance, which an untyped import hides
    if config.report is not None:
        native.set_report_fd(os.open(config.report, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644))
    loader = Loader(config, native, system)
    if config.fault_handler:
        native.install_fault_handler()
    native.interpose(_opener(loader))
    atexit.register(native.stop_opening)
    executable = config.executable_path
    install_finders(None if executable is None else executable.parent)
    _installed.append(loader)
    return loader


def installed() -> Loader | None:
    """The process's loader; None before `install`."""
    return _installed[0] if _installed else None


def _opener(loader: Loader) -> Callable[[bytes, int, int], int | None]:
    """What C calls to load a file: its handle, or None with the reason written to a buffer."""

    def open_image(path: bytes, error: int, error_size: int) -> int | None:
        try:
            return loader.load(os.fsdecode(path)).handle
        except BaseException as reason:  # noqa: BLE001 - it cannot go through C; dlerror tells it
            text = encode(str(reason) or type(reason).__name__)[: error_size - 1] + b"\0"
            ctypes.memmove(error, text, len(text))
            return None

    return open_image
