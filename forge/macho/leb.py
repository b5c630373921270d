"""LEB128 numbers, as in dyld's opcodes, the export trie and the table of function starts (DWARF 5, section 7.6)."""

from __future__ import annotations

from forge.macho.errors import MachOError

_MAX_BYTES = 10
"""Of a number of 64 bits, seven in each byte."""


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


def skip_sleb(data: bytes, at: int, what: str) -> int:
    """Where the signed number (SLEB128) at *at* ends.

    A negative number's last byte extends its sign: above the 64 bits that count it may have any.

    Args:
        data: The table.
        at: An offset, not negative.
        what: The table's name, for errors.

    Raises:
        MachOError: The table ends within the number, or it does not fit 64 bits.
    """
    for end in range(at, min(at + _MAX_BYTES, len(data))):
        if data[end] < 0x80:
            return end + 1
    raise MachOError(f"{what} has a number above 64 bits" if len(data) - at >= _MAX_BYTES else f"{what} is cut off")
