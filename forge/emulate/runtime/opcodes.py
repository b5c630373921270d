"""Classic fixups: the opcode streams of ``LC_DYLD_INFO`` (``REBASE_OPCODE_*``, ``BIND_OPCODE_*``).

``mach-o/loader.h`` has their numbers.

The streams are compressed tables of (place, import) rows; they are unrolled here, and every place is checked.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from forge.emulate.runtime.constants import ADDRESS_MASK, sleb, uleb
from forge.emulate.runtime.errors import MachOImportError
from forge.emulate.runtime.model import WEAK_LOOKUP, Binds, no_binds
from forge.emulate.runtime.places import POINTER

if TYPE_CHECKING:
    from forge.emulate.runtime.places import Imports, Places

_TYPE_POINTER: Final = 1
_WEAK_IMPORT: Final = 0x1


def read_rebases(table: bytes, places: Places) -> array[int]:
    """Unroll a rebase stream.

    Args:
        table: Its bytes.
        places: What checks them.

    Returns:
        Offsets in the image of the pointers to slide.

    Raises:
        MachOImportError: An opcode is unknown or cut off, or a place is not allowed.
    """
    found = array("Q")
    what = places.what
    at = place = 0
    bounds: tuple[int, int] | None = None

    def run(count: int, skip: int = 0) -> int:
        stride = POINTER + skip
        places.check(bounds, place, count, stride)
        found.extend(range(place, place + count * stride, stride))
        return place + count * stride

    while at < len(table):
        opcode, immediate = table[at] & 0xF0, table[at] & 0x0F
        at += 1
        if opcode == 0x00:  # DONE
            break
        if opcode == 0x10:  # SET_TYPE_IMM
            _require_pointer(immediate, what)
        elif opcode == 0x20:  # SET_SEGMENT_AND_OFFSET_ULEB
            bounds = places.writable(immediate)
            offset, at = uleb(table, at, what)
            place = bounds[0] + offset
        elif opcode == 0x30:  # ADD_ADDR_ULEB
            offset, at = uleb(table, at, what)
            place = (place + offset) & ADDRESS_MASK
        elif opcode == 0x40:  # ADD_ADDR_IMM_SCALED
            place += immediate * POINTER
        elif opcode == 0x50:  # DO_REBASE_IMM_TIMES
            place = run(immediate)
        elif opcode == 0x60:  # DO_REBASE_ULEB_TIMES
            count, at = uleb(table, at, what)
            place = run(count)
        elif opcode == 0x70:  # DO_REBASE_ADD_ADDR_ULEB
            offset, at = uleb(table, at, what)
            place = (run(1) + offset) & ADDRESS_MASK
        elif opcode == 0x80:  # DO_REBASE_ULEB_TIMES_SKIPPING_ULEB
            count, at = uleb(table, at, what)
            skip, at = uleb(table, at, what)
            place = run(count, skip)
        else:
            raise MachOImportError(f"malformed {what}, unknown opcode {opcode:#x}")
    return found


@dataclass(slots=True)
class _State:
    """The registers of the bind machine."""

    ordinal: int = 0
    symbol: str = ""
    flags: int = 0
    addend: int = 0
    bounds: tuple[int, int] | None = None
    place: int = 0


class BindReader:
    """Unrolls a bind stream.

    Args:
        places: What checks places.
        imports: Where imports are numbered.
        lazy: A lazy stream: ``DONE`` ends one entry, not the stream.
        weak: A stream of weak bindings: no ordinals, looked up over all images.
    """

    def __init__(self, places: Places, imports: Imports, *, lazy: bool = False, weak: bool = False) -> None:
        self._places = places
        self._imports = imports
        self._lazy = lazy
        self._state = _State(ordinal=WEAK_LOOKUP if weak else 0)

    def read(self, table: bytes) -> Binds:
        """The rows of a stream.

        Raises:
            MachOImportError: An opcode is unknown or cut off, a place is not allowed, an ordinal out of range.
        """
        rows = no_binds()
        state, what = self._state, self._places.what
        at = 0
        while at < len(table):
            opcode, immediate = table[at] & 0xF0, table[at] & 0x0F
            at += 1
            if opcode == 0x00:  # DONE
                if not self._lazy:
                    break
            elif opcode == 0x10:  # SET_DYLIB_ORDINAL_IMM
                state.ordinal = immediate
            elif opcode == 0x20:  # SET_DYLIB_ORDINAL_ULEB
                state.ordinal, at = uleb(table, at, what)
            elif opcode == 0x30:  # SET_DYLIB_SPECIAL_IMM: a negative number of four bits
                state.ordinal = immediate - 16 if immediate else 0
            elif opcode == 0x40:  # SET_SYMBOL_TRAILING_FLAGS_IMM
                state.flags = immediate
                state.symbol, at = self._imports.name(table, at, what)
            elif opcode == 0x50:  # SET_TYPE_IMM
                _require_pointer(immediate, what)
            elif opcode == 0x60:  # SET_ADDEND_SLEB
                state.addend, at = sleb(table, at, what)
            elif opcode == 0x70:  # SET_SEGMENT_AND_OFFSET_ULEB
                state.bounds = self._places.writable(immediate)
                offset, at = uleb(table, at, what)
                state.place = state.bounds[0] + offset
            elif opcode == 0x80:  # ADD_ADDR_ULEB
                offset, at = uleb(table, at, what)
                state.place = (state.place + offset) & ADDRESS_MASK
            else:
                at = self._bind(opcode, immediate, table, at, rows)
        return rows

    def _bind(self, opcode: int, immediate: int, table: bytes, at: int, rows: Binds) -> int:
        """Carry out an opcode that makes rows; where the next one stands."""
        what = self._places.what
        count, skip, offset = 1, 0, 0
        if opcode == 0x90:  # DO_BIND
            pass
        elif opcode == 0xA0:  # DO_BIND_ADD_ADDR_ULEB
            offset, at = uleb(table, at, what)
        elif opcode == 0xB0:  # DO_BIND_ADD_ADDR_IMM_SCALED
            offset = immediate * POINTER
        elif opcode == 0xC0:  # DO_BIND_ULEB_TIMES_SKIPPING_ULEB
            count, at = uleb(table, at, what)
            skip, at = uleb(table, at, what)
        else:  # 0xD0, THREADED, is for arm64e
            raise MachOImportError(f"malformed {what}, unknown opcode {opcode:#x}")
        state = self._state
        stride = POINTER + skip
        self._places.check(state.bounds, state.place, count, stride)
        if not -(1 << 63) <= state.addend < 1 << 63:
            raise MachOImportError(f"malformed {what}, addend {state.addend} is above 64 bits")
        if count:
            index = self._imports.number(state.symbol, state.ordinal, bool(state.flags & _WEAK_IMPORT))
            rows.at.extend(range(state.place, state.place + count * stride, stride))
            rows.imports.extend([index] * count)
            rows.addends.extend([state.addend] * count)
        state.place = (state.place + count * stride + offset) & ADDRESS_MASK
        return at


def _require_pointer(kind: int, what: str) -> None:
    # The other two, absolute and relative 32-bit text, are for i386.
    if kind != _TYPE_POINTER:
        raise MachOImportError(f"malformed {what}, fixup type {kind} is not a pointer")
