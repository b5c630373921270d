"""ULEB128 numbers, as in dyld's opcodes, the export trie and the table of function starts (DWARF 5, section 7.6)."""

from __future__ import annotations

from forge.macho.errors import MachOError


def read_uleb(data: bytes, at: int, what: str) -> tuple[int, int]:
    """The number at *at*, and where it ends.

    Args:
        data: The table.
        at: An offset, not negative.
        what: The table's name, for errors.

    Raises:
        MachOError: The table ends within the number, or it does not fit 64 bits.
    """
    value = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        shift += 7
        if byte < 0x80 and not value >> 64:
            return value, at
    raise MachOError(f"{what} has a number above 64 bits" if shift >= 64 else f"{what} is cut off")
