"""Malloc zones by the functions in them, and the compiler's 128-bit product."""

from __future__ import annotations

import ctypes
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

POINTER = ctypes.sizeof(ctypes.c_void_p)
# Places in struct _malloc_zone_t (malloc/malloc.h), in pointers.
SIZE, MALLOC, FREE, REALLOC = 2, 3, 6, 7


class Wide(ctypes.Structure):
    """A 128-bit integer: both ABIs pass it in two registers, as they do this."""

    _fields_ = (("low", ctypes.c_uint64), ("high", ctypes.c_uint64))


def test_a_zones_own_functions(shim: ctypes.CDLL) -> None:
    create: Any = shim.forge_darwin_malloc_create_zone
    create.restype = ctypes.c_void_p
    zone = create(ctypes.c_size_t(0), ctypes.c_uint(0))

    def function(place: int, result: object, *arguments: object) -> Any:
        address = ctypes.c_void_p.from_address(zone + place * POINTER).value
        kind: Any = ctypes.CFUNCTYPE(result, *arguments)  # type: ignore[arg-type]  # ctypes' types have no common name
        return kind(address)

    pointer, size = ctypes.c_void_p, ctypes.c_size_t
    block = function(MALLOC, pointer, pointer, size)(zone, 100)
    assert function(SIZE, size, pointer, pointer)(zone, block) >= 100
    block = function(REALLOC, pointer, pointer, pointer, size)(zone, block, 5000)
    assert function(SIZE, size, pointer, pointer)(zone, block) >= 5000
    function(FREE, None, pointer, pointer)(zone, block)


WHOLE = st.integers(-(2**127), 2**127 - 1)


@given(st.one_of(WHOLE, st.integers(-(2**66), 2**66)), st.one_of(WHOLE, st.integers(-(2**66), 2**66)))
@example(-(2**127), -1)
@example(-(2**127), 1)
@example(2**64, -(2**63))
@example(2**64, 2**63)
@example(2**63, 2**64 - 1)
def test_a_product_and_whether_it_overflowed(shim: ctypes.CDLL, one: int, other: int) -> None:
    multiply: Any = shim.forge_darwin___muloti4
    multiply.restype = Wide
    multiply.argtypes = [Wide, Wide, ctypes.POINTER(ctypes.c_int)]
    overflow = ctypes.c_int(7)

    def wide(value: int) -> Wide:
        return Wide(value & (2**64 - 1), value >> 64 & (2**64 - 1))

    made = multiply(wide(one), wide(other), ctypes.byref(overflow))
    product = one * other
    assert (made.high << 64 | made.low) == product & (2**128 - 1)
    assert bool(overflow.value) == (not -(2**127) <= product < 2**127)
