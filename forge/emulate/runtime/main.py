"""The emulating process: ``python -m forge.emulate.runtime.main SESSION.json``.

Standard library and, where tests run, the app's own pytest. The session says what to run and where results go
(`forge.emulate.session` writes it).
"""

from __future__ import annotations

import atexit
import json
import os
import resource
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forge.emulate.runtime import install, stdlib
from forge.emulate.runtime.config import LoaderConfig
from forge.emulate.runtime.errors import AddressTakenError
from forge.emulate.runtime.finders import install_finders
from forge.emulate.runtime.guise import Guise, put_on
from forge.emulate.runtime.restart import forget, randomise, restart
from forge.emulate.runtime.results import ResultWriter

if TYPE_CHECKING:
    from forge.emulate.runtime.loader import Loader


VARIABLE = "FORGE_EMULATED_SESSION"
"""Names the session's file to Pythons that this one starts: they emulate too."""


def main() -> int:
    """Set the process up as the session says, and run what it says."""
    path = Path(sys.argv[1])
    session: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if limit := session["memory"]:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    if session["run"] == "regrtest" and session["loader"] is not None:
        stdlib.keep_out()
    loader = _set_up_somewhere(session)
    if loader is not None:
        atexit.register(_write_report, loader, Path(session["report"]), os.getpid())
    os.environ[VARIABLE] = str(path)
    sys.argv = list(session["arguments"])
    if session["run"] == "pytest":
        return _run_pytest(session)
    if session["run"] == "regrtest":
        stdlib.run([Path(directory) for directory in session["directories"]], session["arguments"])
    runpy.run_path(session["arguments"][0], run_name="__main__")
    return 0


def _set_up_somewhere(session: dict[str, Any]) -> Loader | None:
    """As `set_up`, in a process whose addresses allow it: this one or one that takes its place.

    Raises:
        AddressTakenError: None of several did.
    """
    if session["loader"] is not None and randomise():
        restart(session["executable"])
    try:
        return set_up(session)
    except AddressTakenError:
        restart(session["executable"])
        raise
    finally:
        forget()


def set_up(session: dict[str, Any]) -> Loader | None:
    """Make this process load Mach-O files and answer as iOS does, as far as a session says so; its loader."""
    loader = None
    if session["loader"] is not None:  # first: it looks whether this is a Linux that it knows
        loader = install(LoaderConfig.from_json(json.dumps(session["loader"])))
    _set_up_interpreter(session)
    return loader


def set_up_further(session: dict[str, Any]) -> None:
    """Make a sub-interpreter import Mach-O files, which its process's loader loads, and answer as the main one does."""
    if session["loader"] is not None:
        executable = LoaderConfig.from_json(json.dumps(session["loader"])).executable_path
        install_finders(None if executable is None else executable.parent)
    _set_up_interpreter(session)


def _set_up_interpreter(session: dict[str, Any]) -> None:
    """What every interpreter of a process has of its own."""
    if session["guise"]:
        put_on(Guise(**session["guise"]))
    if session["executable"]:
        sys.executable = session["executable"]
    sys.path[:0] = session["paths"]


def _run_pytest(session: dict[str, Any]) -> int:
    import pytest  # noqa: PLC0415 - the app's, found once its paths are set

    writer = ResultWriter(Path(session["results"]), session["skip"])
    code = int(pytest.main(session["arguments"][1:], plugins=[writer]))
    writer.end(code)
    return code


def _write_report(loader: Loader, path: Path, pid: int) -> None:
    if os.getpid() == pid:  # a forked child that ends in Python's own way comes here too
        path.write_text(json.dumps(loader.report()), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
