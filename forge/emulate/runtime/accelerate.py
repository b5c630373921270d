"""Accelerate's BLAS and LAPACK: which of OpenBLAS's functions is which of Apple's.

What is meant is the interface that came with iOS 16.4 (Apple's headers with ``ACCELERATE_NEW_LAPACK``): the reference
BLAS, CBLAS and LAPACK under names without Fortran's underscore, ``NAME$NEWLAPACK`` with 32-bit integers and
``NAME$NEWLAPACK$ILP64`` with 64-bit ones; a ``LOGICAL`` is as wide as an integer, ``REAL`` functions return ``float``.
Stand-ins are the libraries of the wheels ``scipy-openblas32`` and ``scipy-openblas64``, which gfortran compiled with
integers and logicals of these sizes (``-fdefault-integer-8`` for the second).

The suffix says that a symbol is of this interface, so a rule, and no table, finds the counterpart. Which of its names
an iOS version has is not known here: the recipe's stub (``recipes/accelerate``) says that to the linker. Two things
differ between Apple's C declarations and gfortran's functions, and decide what the rule leaves out or adapts:

- Strings have no hidden lengths with Apple; gfortran's functions take them after the other arguments. A ``CHARACTER*1``
  option's length is never read (numpy's own Linux wheels do not pass it either, and gfortran makes no tail calls of
  such functions, ``-ftail-call-workaround``). `UNBOUND` has those that read one.
- Complex results go where Apple's first argument points to; gfortran returns them in registers. `ADAPTED` has them.

The older interface, without a suffix (f2c's conventions), is not provided.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

OPENBLAS32: Final = "openblas32"
OPENBLAS64: Final = "openblas64"
OPENBLAS: Final = (OPENBLAS32, OPENBLAS64)
"""What the two libraries are called as providers of symbols, by the width of their integers."""

_SYMBOL = re.compile(r"_(?P<name>[a-z][a-z0-9_]*)\$NEWLAPACK(?P<wide>\$ILP64)?", re.ASCII)

_LENGTH = "CHARACTER*(*): gfortran's function reads the string's length, which Apple's declaration does not pass"
_QUOTIENT = "Apple's header has the result at its first argument; the function of macOS 15.4 is reported to return it"
UNBOUND: Final[Mapping[str, str]] = {
    "ilaenv": _LENGTH,
    "ilaenv2stage": _LENGTH,
    "iparam2stage": _LENGTH,
    "iparmq": _LENGTH,
    "lsamen": _LENGTH,
    "xerbla": _LENGTH,
    "cblas_xerbla": "variadic: Apple's arm64 passes such arguments otherwise than Linux",
    "cladiv": _QUOTIENT,
    "zladiv": _QUOTIENT,
}
"""Routines that OpenBLAS has and that stay traps, with the reason (LAPACK 3.12.1's sources, Apple's documentation)."""

ADAPTED: Final = ("cdotc", "cdotu", "zdotc", "zdotu")
"""Functions with a complex result (``native/darwin_accelerate.c``)."""


@dataclass(frozen=True, slots=True)
class Counterpart:
    """What stands in for a routine.

    Args:
        provider: `OPENBLAS32` or `OPENBLAS64`.
        entry: The symbol there. Whether it has it, is not known here.
        adapter: The shim's function in between, or None.
        slot: That one's place in ``forge_darwin_accelerate_functions``.
    """

    provider: str
    entry: str
    adapter: str | None = None
    slot: int = 0


def counterpart(symbol: str) -> Counterpart | None:
    """What stands in for one of Accelerate's symbols; None for what is not of this interface or is called otherwise.

    Args:
        symbol: As in a Mach-O file, e.g. ``_dgesdd$NEWLAPACK$ILP64``.
    """
    found = _SYMBOL.fullmatch(symbol)
    if found is None or found["name"] in UNBOUND:
        return None
    name, wide = found["name"], bool(found["wide"])
    # Fortran's names end in its underscore, C's (CBLAS) do not; the 64-bit library's have 64_ behind that.
    entry = f"scipy_{name}{'' if name.startswith('cblas_') else '_'}{'64_' if wide else ''}"
    provider = OPENBLAS64 if wide else OPENBLAS32
    if name not in ADAPTED:
        return Counterpart(provider, entry)
    adapter = f"forge_darwin_{name}_{'ilp64' if wide else 'lp64'}"
    return Counterpart(provider, entry, adapter, ADAPTED.index(name) + wide * len(ADAPTED))
