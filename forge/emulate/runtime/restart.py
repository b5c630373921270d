"""Starting this process again where its addresses are not those that Darwin's code needs.

Darwin has a page at a fixed address (``darwin_commpage.c``). Linux puts the stack near it: with address randomisation
it is almost never there; without (``setarch --addr-no-randomize``, some debuggers) the stack has it two MiB below its
top, and would end there.
"""

from __future__ import annotations

import ctypes
import os
import sys

_ADDR_NO_RANDOMIZE = 0x0040000
"""The bit of personality(2) that turns randomisation off; ``linux/personality.h``."""
_ASK = 0xFFFFFFFF
_TRIES = "FORGE_EMULATED_TRIES"
MAX_TRIES = 8
"""With randomisation, a start fails for one in some thousand."""


def randomise() -> bool:
    """Have the next program that this process becomes laid out at random; whether that is a change."""
    personality = ctypes.CDLL(None).personality
    personality.argtypes = (ctypes.c_ulong,)
    now: int = personality(_ASK)
    if now < 0 or not now & _ADDR_NO_RANDOMIZE:
        return False
    return int(personality(now & ~_ADDR_NO_RANDOMIZE)) >= 0


def restart(executable: str | None) -> None:
    """Become the same Python with the same arguments anew; return if that was tried often enough.

    Args:
        executable: What starts this Python, where that is not itself (under qemu); None for ``sys.executable``.
    """
    tries = int(os.environ.get(_TRIES, "0"))
    if tries < MAX_TRIES:
        program = executable or sys.executable
        os.execve(program, [program, *sys.orig_argv[1:]], {**os.environ, _TRIES: str(tries + 1)})  # noqa: S606


def forget() -> None:
    """Leave no trace of restarts to the programs that this one starts."""
    os.environ.pop(_TRIES, None)
