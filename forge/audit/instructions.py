"""Instructions of arm64 code that not every device of a wheel's minimum iOS has.

iOS 12 to 18 run on devices with a CPU of ARMv8.0, Apple's A7 to A10 (that of the iPads of 2018 and 2019). The first one
with ARMv8.1's atomic instructions is the A11. A compiler that was told ``-mcpu=apple-m1`` writes these wherever C or
Rust has an atomic operation, and such code ends with SIGILL there. Code that asks the CPU first may hold any
instruction: it is taken at its word if it imports a function to ask with.

Encodings: Arm Architecture Reference Manual, "Atomic memory operations" and "Compare and swap".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from forge.base.target import IOSVersion
from forge.macho.model import Cpu

if TYPE_CHECKING:
    from collections.abc import Iterator

    import capstone

    from forge.macho.model import MachOSlice

_CODE = 0x80000400
"""``S_ATTR_PURE_INSTRUCTIONS`` and ``S_ATTR_SOME_INSTRUCTIONS`` (``mach-o/loader.h``)."""
_AROUND = 8
"""How many instructions on either side must be ones, too: constants that assembly code has among its functions seldom
are."""
_MOST = 1000
"""Candidates that are looked at in one file; many more would tell nothing else."""

ASKS = frozenset({"_sysctlbyname", "_sysctl", "_sysctlnametomib", "_host_info", "_host_statistics"})
"""Functions that code asks for the CPU's features with (Apple: "Determining Instruction Set Characteristics")."""


ATOMICS = IOSVersion(26, 0)
"""The first iOS whose devices all have ARMv8.1's atomic instructions (its oldest have an A12)."""


def _bytes(*tests: tuple[int, int]) -> bytes:
    """A class of bytes for a regular expression: those that equal one of some values under its mask."""
    chosen = [value for value in range(256) if any(value & mask == wanted for mask, wanted in tests)]
    return b"[" + b"".join(b"\\x%02x" % value for value in chosen) + b"]"


@cache
def _candidate() -> re.Pattern[bytes]:
    return re.compile(
        # Little-endian words: ldadd, ldclr, ldeor, ldset, ldsmax … swp; then cas. Looked ahead, as words may overlap.
        b"(?=.%s%s%s|.%s%s%s)"
        % (
            _bytes((0x0C, 0x00)), _bytes((0x20, 0x20)), _bytes((0x3F, 0x38)),
            _bytes((0x7C, 0x7C)), _bytes((0xA0, 0xA0)), _bytes((0x3F, 0x08)),
        ),
        flags=re.DOTALL,
    )  # fmt: skip


_ATOMIC = re.compile(
    r"(ld(add|clr|eor|set|smax|smin|umax|umin)|st(add|clr|eor|set|smax|smin|umax|umin)|swp|casp?)[abhl]*"
)


@dataclass(frozen=True)
class NewInstructions:
    """Instructions that came after ARMv8.0.

    Args:
        count: How many.
        example: The first of them, as an assembler writes its name.
        address: Where that is.
    """

    count: int
    example: str
    address: int


def new_instructions(data: bytes, one: MachOSlice) -> NewInstructions | None:
    """The atomic instructions of ARMv8.1 in a slice that does not ask for the CPU's features; None if there are none.

    Args:
        data: The slice's bytes.
        one: What the reader says of it.
    """
    if one.cpu is not Cpu.ARM64 or any(symbol.name in ASKS for symbol in one.imports):
        return None
    found = [each for segment in one.segments for section in segment.sections if section.flags & _CODE
             for each in _in_code(data[section.offset : section.offset + section.size], section.address)]  # fmt: skip
    return NewInstructions(len(found), found[0][1], found[0][0]) if found else None


def _in_code(code: bytes, address: int) -> Iterator[tuple[int, str]]:
    decoder: capstone.Cs | None = None
    looked = 0
    for match in _candidate().finditer(code):
        at = match.start()
        if at % 4 or looked == _MOST:
            continue
        looked += 1
        decoder = decoder or _decoder()
        start = max(0, at - 4 * _AROUND)
        window = code[start : at + 4 * (_AROUND + 1)]
        names = [name for _, _, name, _ in decoder.disasm_lite(window, address + start)]
        is_code = len(names) == len(window) // 4 and "udf" not in names
        if is_code and _ATOMIC.fullmatch(names[(at - start) // 4]):
            yield address + at, names[(at - start) // 4]


def _decoder() -> capstone.Cs:
    import capstone  # noqa: PLC0415 - slow to import, and most wheels have no candidate

    return capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
