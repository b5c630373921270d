"""A Python that an emulating one started: it emulates as its parent does.

``sitecustomize`` of the emulating environment imports this. A child that is started without the environment's
variables, or in isolated mode, is the plain Linux Python that it is.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from forge.emulate.runtime.main import VARIABLE, set_up

SITECUSTOMIZE = f"""\
import os

if {VARIABLE!r} in os.environ:
    import {__name__} as child

    child.join()
"""
"""The text of ``sitecustomize.py``."""


def join() -> None:
    """Set this process up as the session that the environment names says."""
    set_up(json.loads(Path(os.environ[VARIABLE]).read_text(encoding="utf-8")))
