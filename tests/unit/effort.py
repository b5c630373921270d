"""How many cases a fuzz test tries: few in each run, so that the unit tests stay fast, more where asked.

``FORGE_TEST_EFFORT=20 pytest tests/unit`` tries twenty times as many.
"""

from __future__ import annotations

import os

EFFORT = int(os.environ.get("FORGE_TEST_EFFORT", "1"))


def cases(number: int) -> int:
    """``number`` of cases in a usual run, times the effort that the environment asks for."""
    return number * EFFORT
