"""Which words of code are instructions that old CPUs lack."""

from __future__ import annotations

import struct
from typing import Any

import capstone
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge.audit.instructions import NewInstructions, new_instructions
from forge.macho.reader import read_macho
from tests.unit.macho.builder import EXTRA_AT, X86_64, macho

MOVE = 0xAA0103E0  # mov x0, x1
LDADDAL, CASAL, SWPAL = 0xB8E00020, 0xC8E0FC41, 0xB8E08041
CODE, DATA = 0x80000400, 0


def scan(*words: int, flags: int = CODE, **changes: Any) -> NewInstructions | None:
    section = ("__more", struct.pack(f"<{len(words)}I", *words), flags, 0, 0)
    data = macho(sections=(section,), **changes)
    return new_instructions(data, read_macho(data).slices[0])


def among_moves(*words: int) -> list[int]:
    return [*[MOVE] * 9, *words, *[MOVE] * 9]


def test_what_an_m1_has() -> None:
    at = EXTRA_AT + 4 * 9
    assert scan(*among_moves(LDADDAL)) == NewInstructions(1, "ldaddal", at)
    assert scan(*among_moves(CASAL, MOVE, SWPAL)) == NewInstructions(2, "casal", at)
    assert scan(LDADDAL) == NewInstructions(1, "ldaddal", EXTRA_AT), "the whole of a section"


@pytest.mark.parametrize(
    "words",
    [
        among_moves(),
        among_moves(0xF8626820),  # ldr x0, [x1, x2]
        among_moves(0xC85FFC20, 0xC802FC20),  # ldaxr, stlxr: ARMv8.0's own atomics
        [0x428A2F98, 0x71374491, 0xB8E00020, 0xE9B5DBA5, 0x3956C25B, 0x59F111F1],  # constants, as of SHA-256
        among_moves(0x00000000, LDADDAL),  # a table's zeros
    ],
)
def test_what_every_cpu_has_and_what_is_no_code(words: list[int]) -> None:
    assert scan(*words) is None


def test_code_that_asks_and_what_is_not_for_arm64() -> None:
    words = among_moves(LDADDAL)
    assert scan(*words, flags=DATA) is None
    assert scan(*words, cpu=X86_64) is None
    assert scan(*words, imports=(("_sysctlbyname", 2, False),)) is None


field = st.integers(0, 31)


@given(
    size=st.integers(0, 3), order=st.integers(0, 3), source=field, operation=st.sampled_from([*range(8), 8]),
    base=field, target=field,
)  # fmt: skip
def test_every_operation(size: int, order: int, source: int, operation: int, base: int, target: int) -> None:
    # size 111000 A R 1 Rs o3 opc 00 Rn Rt: Arm ARM, "Atomic memory operations"; 8 is swp.
    word = size << 30 | 0b111000 << 24 | order << 22 | 1 << 21 | source << 16 | operation << 12 | base << 5 | target
    found = scan(*among_moves(word))
    assert found is not None
    decoder = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
    assert found.example == next(decoder.disasm_lite(struct.pack("<I", word), 0))[2]


@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    section = ("__more", data, CODE, 0, 0)
    file = macho(sections=(section,))
    found = new_instructions(file, read_macho(file).slices[0])
    assert found is None or found.count > 0
