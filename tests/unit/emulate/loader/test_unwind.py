"""Unwind tables, from the two of Mach-O to the one that libgcc reads."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge.emulate.runtime.compact import decode
from forge.emulate.runtime.constants import CPU_ARM64, CPU_X86_64
from forge.emulate.runtime.eh_frame import read_eh_frame
from forge.emulate.runtime.errors import MachOImportError
from forge.emulate.runtime.frames import write_frames
from forge.emulate.runtime.unwind_info import UnwindInfo, compact_frames, read_unwind_info
from forge.emulate.runtime.unwind_model import Frame, Rules, sleb_bytes, uleb_bytes
from tests.unit.emulate.loader.unwind_samples import COMPRESSED, REGULAR, eh_frame, unwind_info

# DWARF's numbers of registers (System V ABI for AMD64, figure 3.36; DWARF for the Arm 64-bit Architecture, 4.1).
RBX, RBP, RSP, R12, R13, R14, R15 = 3, 6, 7, 12, 13, 14, 15


def rules_of(instructions: bytes) -> tuple[tuple[int, int], dict[int, int]]:
    """What call frame instructions come to: the CFA's register and offset, and where registers are below it."""
    cfa, saved = (-1, -1), {}
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = instructions[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(instructions):
        opcode = instructions[at]
        at += 1
        if opcode == 0x0C:
            cfa = number(), number()
        elif opcode & 0xC0 == 0x80:
            saved[opcode & 0x3F] = number() * 8
        elif opcode == 0x05:
            register = number()
            saved[register] = number() * 8
        else:
            assert opcode == 0
    return cfa, saved


def rules(cpu: int, encoding: int, immediate: int = 0) -> tuple[tuple[int, int], dict[int, int]]:
    instructions = decode(cpu, encoding, lambda _: immediate)
    assert instructions is not None
    return rules_of(instructions)


def test_x86_64_with_a_frame_pointer() -> None:
    # push rbp; mov rbp, rsp; push r15; push r14; push rbx: three slots below rbp, rbx lowest.
    encoding = 0x01000000 | 3 << 16 | 1 | 4 << 3 | 5 << 6
    assert rules(CPU_X86_64, encoding) == ((RBP, 16), {RBP: 16, RBX: 40, R14: 32, R15: 24})


def test_x86_64_without_a_frame_pointer() -> None:
    # push r14; push rbx; sub rsp, 8: 32 bytes with the return address; rbx is the lowest register.
    encoding = 0x02000000 | 4 << 16 | 2 << 10 | 0 * 5 + 2
    assert rules(CPU_X86_64, encoding) == ((RSP, 32), {RBX: 24, R14: 16})


def test_x86_64_with_all_six_registers() -> None:
    # The permutation's number 0 is of the registers in order.
    encoding = 0x02000000 | 7 << 16 | 6 << 10
    assert rules(CPU_X86_64, encoding) == ((RSP, 56), {RBX: 56, R12: 48, R13: 40, R14: 32, R15: 24, RBP: 16})


@given(st.permutations([1, 2, 3, 4, 5, 6]), st.integers(0, 6))
def test_x86_64_permutations(order: list[int], count: int) -> None:
    """Against the encoder that compact_unwind_encoding.h describes: each register by its rank among those left."""
    registers = order[:count]
    ranks = [r - 1 - sum(1 for earlier in registers[:i] if earlier < r) for i, r in enumerate(registers)]
    number = 0
    weights = {6: (120, 24, 6, 2, 1, 0), 5: (120, 24, 6, 2, 1), 4: (60, 12, 3, 1), 3: (20, 4, 1), 2: (5, 1), 1: (1,)}
    for rank, weight in zip(ranks, weights.get(count, ()), strict=True):
        number += rank * weight
    names = [0, RBX, R12, R13, R14, R15, RBP]
    expected = {names[r]: 8 + 8 * (count - i) for i, r in enumerate(registers)}
    assert rules(CPU_X86_64, 0x02000000 | 10 << 16 | count << 10 | number) == ((RSP, 80), expected)


def test_x86_64_large_frames_have_their_size_in_the_code() -> None:
    # The subtraction's 32 bits are 7 bytes into the function; two pushes come to it.
    encoding = 0x03000000 | 7 << 16 | 2 << 13 | 1 << 10
    seen = []

    def read(offset: int) -> int:
        seen.append(offset)
        return 0x1000

    instructions = decode(CPU_X86_64, encoding, read)
    assert seen == [7]
    assert rules_of(instructions or b"") == ((RSP, 0x1010), {RBX: 16})


def test_arm64_with_a_frame_pointer() -> None:
    encoding = 0x04000000 | 0x001 | 0x008 | 0x100
    expected = {29: 16, 30: 8, 19: 24, 20: 32, 25: 40, 26: 48, 72: 56, 73: 64}
    assert rules(CPU_ARM64, encoding) == ((29, 16), expected)


def test_arm64_leaf() -> None:
    assert rules(CPU_ARM64, 0x02000000 | 3 << 12) == ((31, 48), {})


@pytest.mark.parametrize(("cpu", "encoding"), [(CPU_X86_64, 0), (CPU_X86_64, 0x04000010), (CPU_ARM64, 0x03000000)])
def test_encodings_that_say_nothing(cpu: int, encoding: int) -> None:
    assert decode(cpu, encoding, lambda _: 0) is None


@pytest.mark.parametrize(
    ("cpu", "encoding"), [(CPU_X86_64, 0x05000000), (CPU_ARM64, 0x01000000), (CPU_X86_64, 0x02001C00)]
)
def test_unknown_encodings(cpu: int, encoding: int) -> None:
    with pytest.raises(MachOImportError, match="malformed unwind info"):
        decode(cpu, encoding, lambda _: 0)


def test_both_kinds_of_pages() -> None:
    info = read_unwind_info(unwind_info([(0x100, REGULAR), (0x200, COMPRESSED)], 0x300, [(0x100, 0x900)]))
    assert [(entry.at, entry.encoding) for entry in info.entries] == [
        (0x100, 0x51000000),
        (0x180, 0),
        (0x200, 0x51000000),
        (0x240, 0x02010000),
        (0x300, 0),
    ]
    frames = compact_frames(info, CPU_X86_64, lambda _: 0)
    assert [(f.at, f.size, f.lsda, f.rules.personality) for f in frames] == [
        (0x100, 0x80, 0x900, 0x2000),
        (0x200, 0x40, None, 0x2000),
        (0x240, 0xC0, None, None),
    ]


@given(st.binary(max_size=200))
def test_any_bytes_as_unwind_info(data: bytes) -> None:
    with contextlib.suppress(MachOImportError):
        compact_frames(read_unwind_info(data), CPU_X86_64, lambda _: 0)


@given(st.integers(0, 199), st.integers(0, 255))
def test_damaged_unwind_info(at: int, value: int) -> None:
    data = bytearray(unwind_info([(0x100, REGULAR), (0x200, COMPRESSED)], 0x300, [(0x100, 0x900)]))
    data[at % len(data)] = value
    with contextlib.suppress(MachOImportError):
        compact_frames(read_unwind_info(bytes(data)), CPU_X86_64, lambda _: 0)


def test_eh_frame() -> None:
    frames = read_eh_frame(eh_frame(0x1800), 0x1800, 0)
    assert len(frames) == 1
    frame = frames[0]
    assert (frame.at, frame.size, frame.lsda, frame.instructions) == (0x400, 0x20, 0x980, b"\x41\x0e\x10")
    assert frame.rules.personality == 0x2000
    assert (frame.rules.code_alignment, frame.rules.data_alignment, frame.rules.return_register) == (1, -8, 16)
    assert frame.rules.initial.startswith(b"\x0c\x07\x08\x90\x01")


@given(st.integers(0, 99), st.integers(0, 255))
def test_damaged_eh_frame(at: int, value: int) -> None:
    data = bytearray(eh_frame(0x1800))
    data[at % len(data)] = value
    with contextlib.suppress(MachOImportError):
        read_eh_frame(bytes(data), 0x1800, 0)


def test_what_is_written_reads_back() -> None:
    """The absolute section, by the reader of the other one: personalities are then addresses in memory."""
    base = 0x7F00_0000_0000
    plain = Rules(None, b"\x0c\x07\x08\x90\x01")
    other = Rules(None, b"\x0c\x07\x10", code_alignment=4, data_alignment=-4, return_register=30, signal=True)
    frames = [
        Frame(plain, 0x100, 0x10, None, b"\x0c\x06\x10"),
        Frame(other, 0x200, 0x20, 0x900, b""),
        Frame(plain, 0x300, 0x30, None, b"\x41"),
    ]
    data = write_frames(frames, base, 0x1000, lambda _: 0)
    assert data[-4:] == bytes(4)
    for written, read in zip(frames, read_eh_frame(data, 0, base), strict=True):
        assert (read.at, read.size, read.lsda) == (written.at, written.size, written.lsda)
        assert read.instructions.rstrip(b"\0") == written.instructions
        assert read.rules.initial.rstrip(b"\0") == written.rules.initial
        assert (read.rules.code_alignment, read.rules.data_alignment) == (
            written.rules.code_alignment,
            written.rules.data_alignment,
        )
        assert (read.rules.return_register, read.rules.signal) == (
            written.rules.return_register,
            written.rules.signal,
        )


def test_a_personality_is_read_from_its_pointer() -> None:
    rules = Rules(0x2000, b"")
    data = write_frames([Frame(rules, 0, 1, None, b"")], 0, 0x3000, {0x2000: 0x1122334455667788}.__getitem__)
    assert struct.pack("<Q", 0x1122334455667788) in data


@pytest.mark.parametrize(
    "frame", [Frame(Rules(None, b""), 0xFFF, 2, None, b""), Frame(Rules(0xFFF, b""), 0, 1, None, b"")]
)
def test_frames_outside_the_image(frame: Frame) -> None:
    with pytest.raises(MachOImportError, match="outside the image"):
        write_frames([frame], 0, 0x1000, lambda _: 0)


def test_no_frames() -> None:
    assert write_frames([], 0, 0x1000, lambda _: 0) == b""
    assert compact_frames(UnwindInfo((), (), {}), CPU_X86_64, lambda _: 0) == []


@given(st.integers(-(1 << 40), 1 << 40))
def test_numbers(value: int) -> None:
    data = sleb_bytes(value)
    decoded = sum((byte & 0x7F) << 7 * i for i, byte in enumerate(data))
    assert decoded - (1 << 7 * len(data) if data[-1] & 0x40 else 0) == value
    assert sum((byte & 0x7F) << 7 * i for i, byte in enumerate(uleb_bytes(abs(value)))) == abs(value)
