"""Call frame information, as both of Mach-O's unwind tables come to mean it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """What the frames of many functions share (a DWARF CIE).

    Args:
        personality: Where in the image the pointer to the personality function is; None for none.
        initial: Call frame instructions at a function's entry.
        code_alignment: What advances are multiplied by.
        data_alignment: What saved registers' offsets are multiplied by.
        return_register: DWARF's number of the return address.
        signal: Frames of a signal handler.
    """

    personality: int | None
    initial: bytes
    code_alignment: int = 1
    data_alignment: int = -8
    return_register: int = 16
    signal: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """A function's frame (a DWARF FDE).

    Args:
        rules: What it shares with others.
        at: Offset of the function in the image.
        size: Bytes of code.
        lsda: Offset of its language-specific data (call sites, types caught); None for none.
        instructions: Call frame instructions.
    """

    rules: Rules
    at: int
    size: int
    lsda: int | None
    instructions: bytes


def uleb_bytes(value: int) -> bytes:
    """A number as ULEB128 (DWARF 5, 7.6)."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def sleb_bytes(value: int) -> bytes:
    """A number as SLEB128 (DWARF 5, 7.6)."""
    out = bytearray()
    while not -0x40 <= value < 0x40:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value & 0x7F)
    return bytes(out)


def defined_cfa(register: int, offset: int) -> bytes:
    """``DW_CFA_def_cfa``: the canonical frame address is a register plus *offset* bytes."""
    return b"\x0c" + uleb_bytes(register) + uleb_bytes(offset)


def saved(register: int, below: int) -> bytes:
    """``DW_CFA_offset``: a register is saved *below* bytes under the canonical frame address (a multiple of 8)."""
    if register < 64:
        return bytes([0x80 | register]) + uleb_bytes(below // 8)
    return b"\x05" + uleb_bytes(register) + uleb_bytes(below // 8)  # DW_CFA_offset_extended
