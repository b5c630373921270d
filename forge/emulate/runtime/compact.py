"""Compact unwind encodings as call frame instructions (``mach-o/compact_unwind_encoding.h``).

An encoding is 32 bits that describe the frame of a whole function, for the stretch in which it can throw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from forge.emulate.runtime import constants
from forge.emulate.runtime.errors import MachOImportError
from forge.emulate.runtime.unwind_model import defined_cfa, saved

if TYPE_CHECKING:
    from collections.abc import Callable

HAS_LSDA: Final = 0x40000000

_RBP, _RSP, _RETURN = 6, 7, 16
_FP, _LR, _SP = 29, 30, 31
_REGISTERS: Final = (None, 3, 12, 13, 14, 15, 6)
"""DWARF's numbers of rbx, r12 to r15, rbp, by the encoding's numbers."""

_RADIXES: Final = {
    0: (),
    1: (1,),
    2: (5, 1),
    3: (20, 4, 1),
    4: (60, 12, 3, 1),
    5: (120, 24, 6, 2, 1),
    6: (120, 24, 6, 2, 1),
}
"""Weights of the digits of a permutation's number, by how many registers it is of."""

_ARM64_PAIRS: Final = (
    (0x001, 19, 20),
    (0x002, 21, 22),
    (0x004, 23, 24),
    (0x008, 25, 26),
    (0x010, 27, 28),
    (0x100, 72, 73),
    (0x200, 74, 75),
    (0x400, 76, 77),
    (0x800, 78, 79),
)
"""Bit, and DWARF's numbers of the two registers (x19 to x28, d8 to d15), in the order they are saved."""


def initial_instructions(cpu_type: int) -> tuple[bytes, int]:
    """The rules at a function's entry, and DWARF's number of the return address."""
    if cpu_type == constants.CPU_ARM64:
        return defined_cfa(_SP, 0), _LR
    return defined_cfa(_RSP, 8) + saved(_RETURN, 8), _RETURN


def decode(cpu_type: int, encoding: int, read_stack_size: Callable[[int], int]) -> bytes | None:
    """The call frame instructions of an encoding.

    Args:
        cpu_type: ``CPU_*``.
        encoding: The encoding.
        read_stack_size: The 32-bit number in the function's code so many bytes from its start: large frames of x86_64
            are written down in the function's own ``subq``.

    Returns:
        The instructions; None where the encoding says nothing (no information) or points to ``__eh_frame``.

    Raises:
        MachOImportError: There is no such encoding.
    """
    mode = encoding >> 24 & 0xF
    if cpu_type == constants.CPU_ARM64:
        if mode in (0, 3):
            return None
        if mode == 4:
            return defined_cfa(_FP, 16) + saved(_FP, 16) + saved(_LR, 8) + _pairs(encoding, 24)
        if mode == 2:
            size = (encoding >> 12 & 0xFFF) * 16
            return defined_cfa(_SP, size) + _pairs(encoding, 8)
    else:
        if mode in (0, 4):
            return None
        if mode == 1:
            return _rbp_frame(encoding)
        if mode in (2, 3):
            return _frameless(encoding, read_stack_size)
    raise MachOImportError(f"malformed unwind info, encoding {encoding:#010x}")


def _pairs(encoding: int, below: int) -> bytes:
    instructions = b""
    for bit, first, second in _ARM64_PAIRS:
        if encoding & bit:
            instructions += saved(first, below) + saved(second, below + 8)
            below += 16
    return instructions


def _rbp_frame(encoding: int) -> bytes:
    instructions = defined_cfa(_RBP, 16) + saved(_RBP, 16)
    lowest = encoding >> 16 & 0xFF  # in words below rbp
    for index in range(5):
        register = _REGISTERS[min(encoding >> 3 * index & 7, 6)]
        if register is not None and lowest >= index:
            instructions += saved(register, 16 + 8 * (lowest - index))
    return instructions


def _frameless(encoding: int, read_stack_size: Callable[[int], int]) -> bytes:
    size = (encoding >> 16 & 0xFF) * 8
    if encoding >> 24 & 0xF == 3:
        size = read_stack_size(encoding >> 16 & 0xFF) + 8 * (encoding >> 13 & 7)
    count = encoding >> 10 & 7
    registers = _permutation(count, encoding & 0x3FF)
    instructions = defined_cfa(_RSP, size)
    for index, register in enumerate(registers):
        instructions += saved(register, 8 + 8 * (count - index))
    return instructions


def _permutation(count: int, number: int) -> list[int]:
    """DWARF's numbers of *count* registers, from the number of their permutation (a mixed-radix number)."""
    if count not in _RADIXES:
        raise MachOImportError(f"malformed unwind info, {count} registers are saved")
    free: list[int] = [register for register in _REGISTERS if register is not None]
    chosen: list[int] = []
    for radix in _RADIXES[count]:
        digit, number = divmod(number, radix)
        if digit >= len(free):
            raise MachOImportError("malformed unwind info, no such permutation of registers")
        chosen.append(free.pop(digit))
    return chosen + free if count == 6 else chosen
