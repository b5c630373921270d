"""A Python that an emulating one started, or a sub-interpreter: it emulates as its parent does.

``sitecustomize`` of the emulating environment imports this, in every interpreter of a process. A child that is started
without the environment's variables, or in isolated mode, is the plain Linux Python that it is.
"""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path

from forge.emulate.runtime.main import VARIABLE, set_up, set_up_further

SITECUSTOMIZE = f"""\
import os

if {VARIABLE!r} in os.environ:
    import {__name__} as child

    child.join()
"""
"""The text of ``sitecustomize.py``."""

MAX_DEPTH = 16
"""How many Pythons may have started each other: a test that starts itself without end is ended."""
_DEPTH = "FORGE_EMULATED_DEPTH"


def join() -> None:
    """Set this process, or this interpreter of it, up as the session that the environment names says.

    The process ends if too many have started each other: a test that starts its own file takes all memory otherwise.
    """
    session = json.loads(Path(os.environ[VARIABLE]).read_text(encoding="utf-8"))
    if _is_main_interpreter():
        depth = int(os.environ.get(_DEPTH, "0")) + 1
        if depth > MAX_DEPTH:
            # Not an exception: ``site`` reports those and goes on.
            os.write(2, f"forge test: {MAX_DEPTH} Pythons have started one another; this one is not run\n".encode())
            os._exit(1)
        set_up(session)
        os.environ[_DEPTH] = str(depth)  # not before: until then the process may start again in its own place
    else:
        set_up_further(session)


def _is_main_interpreter() -> bool:
    try:
        interpreters = importlib.import_module("_interpreters")  # private, and of no type that mypy knows
    except ImportError:
        return True
    return bool(interpreters.get_current() == interpreters.get_main())
