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


def join() -> None:
    """Set this process, or this interpreter of it, up as the session that the environment names says."""
    session = json.loads(Path(os.environ[VARIABLE]).read_text(encoding="utf-8"))
    if _is_main_interpreter():
        set_up(session)
    else:
        set_up_further(session)


def _is_main_interpreter() -> bool:
    try:
        interpreters = importlib.import_module("_interpreters")  # private, and of no type that mypy knows
    except ImportError:
        return True
    return bool(interpreters.get_current() == interpreters.get_main())
