from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge.macho.errors import MachOError
from forge.macho.fixups import fixed_up_segments
from forge.macho.layout import read_layout
from forge.macho.load_code import LoadCode, read_load_code
from forge.macho.reader import read_macho
from tests.unit.macho.builder import ARM64, EXTRA_AT, EXTRA_STEP, X86_64, macho

CODE_FLAGS = 0x80000400
STUBS_FLAGS = 0x80000408


def uleb(value: int) -> bytes:
    return bytes([value & 0x7F | 0x80, value >> 7]) if value > 0x7F else bytes([value])


CODE, STUBS, INIT, SLOTS = (EXTRA_AT + EXTRA_STEP * index for index in range(4))
IMPORTS = (("_PyModule_Create2", 1, False), ("_free", 2, False))
STARTS = uleb(CODE) + uleb(0x20) + uleb(0x20) + b"\0"  # of __code's functions: at its start, 0x20 and 0x40
FIRST_IMPORT = 1  # symbol table: the export, then the imports
X86_STUB = b"\xff\x25\0\0\0\0"
ARM_STUB = struct.pack("<3I", 0x90000010, 0xF9400210, 0xD61F0200)


def image(
    code: bytes,
    init: bytes,
    *,
    cpu: tuple[int, int],
    offsets: bool = False,
    chained: bytes = b"",
    starts: bytes = STARTS,
) -> bytes:
    stub = X86_STUB if cpu == X86_64 else ARM_STUB
    sections = (
        ("__code", code, CODE_FLAGS, 0, 0),
        ("__stubs", stub * 2, STUBS_FLAGS, 0, len(stub)),
        ("__init_offsets", init, 0x16, 0, 0) if offsets else ("__mod_init_func", init, 0x9, 0, 0),
        ("__got", b"\0" * 16, 0x6, 0, 0),
    )
    indirect = (FIRST_IMPORT, FIRST_IMPORT + 1)
    return macho(
        cpu=cpu, platform=7, sections=sections, indirect=indirect, imports=IMPORTS, chained=chained,
        function_starts=starts,
    )  # fmt: skip


def load_code(data: bytes) -> LoadCode:
    return read_load_code(data, read_layout(data)[1][0], read_macho(data).slices[0])


def call(at: int, to: int) -> bytes:
    return b"\xe8" + struct.pack("<i", to - at - 5)


def bl(at: int, to: int, opcode: int = 0x94000000) -> bytes:
    return struct.pack("<I", opcode | (to - at) // 4 & 0x3FFFFFF)


X86_RET, ARM_RET = b"\xc3", struct.pack("<I", 0xD65F03C0)
X86_CHAIN = call(CODE, CODE + 0x20) + X86_RET  # calls a function that calls Python


def x86_two_functions(second: bytes) -> bytes:
    return X86_CHAIN.ljust(0x20, b"\x90") + second + X86_RET


@pytest.mark.parametrize(
    ("second", "reached"),
    [
        (call(CODE + 0x20, STUBS), ("_PyModule_Create2",)),
        (call(CODE + 0x20, STUBS + 6), ("_free",)),
        (b"\xff\x15" + struct.pack("<i", SLOTS - (CODE + 0x26)), ("_PyModule_Create2",)),  # call [rip + slot]
        (b"\x74\x01" + X86_RET + call(CODE + 0x23, STUBS), ("_PyModule_Create2",)),  # behind a conditional jump
        (X86_RET + call(CODE + 0x21, STUBS), ()),  # behind the return
        (b"\xff\xd0", ()),  # through a register
        (call(CODE + 0x20, CODE), ()),  # endless recursion
    ],
)
def test_x86_64_code_is_followed(second: bytes, reached: tuple[str, ...]) -> None:
    data = image(x86_two_functions(second), struct.pack("<Q", CODE), cpu=X86_64)
    assert load_code(data) == LoadCode(1, reached)


@pytest.mark.parametrize(
    ("second", "reached"),
    [
        (bl(CODE + 0x20, STUBS), ("_PyModule_Create2",)),
        (bl(CODE + 0x20, STUBS + 12, 0x14000000), ("_free",)),  # a tail call
        (struct.pack("<I", 0xB4000040) + ARM_RET + bl(CODE + 0x28, STUBS), ("_PyModule_Create2",)),  # cbz over a return
        (ARM_RET + bl(CODE + 0x24, STUBS), ()),
    ],
)
def test_arm64_code_is_followed(second: bytes, reached: tuple[str, ...]) -> None:
    code = (bl(CODE, CODE + 0x20) + ARM_RET).ljust(0x20, b"\0") + second + ARM_RET
    data = image(code, struct.pack("<I", CODE), cpu=ARM64, offsets=True)
    assert load_code(data) == LoadCode(1, reached)


def test_code_does_not_run_into_the_next_function() -> None:
    # What is called last does not return: compilers write nothing behind it.
    code = call(CODE, CODE + 0x40).ljust(0x20, b"\x90") + call(CODE + 0x20, STUBS) + X86_RET
    code = code.ljust(0x40, b"\x90") + X86_RET
    pointer = struct.pack("<Q", CODE)
    assert load_code(image(code, pointer, cpu=X86_64)) == LoadCode(1)
    assert load_code(image(code, pointer, cpu=X86_64, starts=b"")) == LoadCode(1)  # nor can it be told
    assert load_code(image(code, pointer, cpu=X86_64, starts=uleb(CODE) + b"\0")) == LoadCode(1, ("_PyModule_Create2",))


def test_pointers_of_chained_fixups_are_read() -> None:
    code = call(CODE, STUBS) + X86_RET
    chained = struct.pack("<7I", 0, 28, 0, 0, 0, 1, 0) + struct.pack("<I", 0)
    pointer = struct.pack("<Q", CODE | 1 << 51)  # with the next link of the chain in its high bits
    assert load_code(image(code, pointer, cpu=X86_64, chained=chained)) == LoadCode(1, ("_PyModule_Create2",))
    assert load_code(image(code, pointer, cpu=X86_64)) == LoadCode(1)  # without chains it leads nowhere


@given(st.binary(max_size=64), st.binary(max_size=40), st.sampled_from([ARM64, X86_64]), st.booleans())
def test_any_code_and_any_pointers_are_looked_at(code: bytes, init: bytes, cpu: tuple[int, int], offsets: bool) -> None:
    found = load_code(image(code, init, cpu=cpu, offsets=offsets))
    assert found.functions == len(init) // (4 if offsets else 8)


def segments(*, rebases: bytes = b"", binds: bytes = b"", chained: bytes = b"") -> frozenset[int]:
    data = macho(rebases=rebases, binds=binds, chained=chained)
    return fixed_up_segments(data, read_layout(data)[1][0])


def test_a_bind_s_addend_is_a_signed_number() -> None:
    # -16 as ld64 and lld write it, and the least number of 64 bits, whose last byte is no ULEB128's
    for addend in (b"\x70", b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f"):
        assert segments(binds=b"\x11\x40_free\0\x51\x71\x00\x60" + addend + b"\x90\x00") == {1}
    with pytest.raises(MachOError, match="cut off"):
        segments(binds=b"\x60\xff\xff")


def test_rebases_name_their_segments() -> None:
    assert segments() == frozenset()
    assert segments(rebases=b"\x11\x20\x10\x51\x00") == {0}
    assert segments(rebases=b"\x11\x20\x10\x21\x00\x62\x81\x01\x00") == {1}
    assert segments(rebases=b"\x11\x20\x10\x00\x51") == frozenset()  # after the end


@pytest.mark.parametrize(
    ("opcodes", "message"),
    [(b"\x11\x20" + b"\x80" * 6, "cut off"), (b"\xf0", "unknown rebase opcode"), (b"\x29\x00\x51", "segment 9")],
)
def test_broken_rebases_are_errors(opcodes: bytes, message: str) -> None:
    with pytest.raises(MachOError, match=message):
        segments(rebases=opcodes)


def test_chained_fixups_name_their_segments() -> None:
    in_segment = struct.pack("<IHHQIH2H", 26, 0x1000, 2, 0, 0, 2, 0xFFFF, 8)
    header = struct.pack("<7I", 0, 28, 0, 0, 0, 1, 0)
    assert segments(chained=header + struct.pack("<3I", 2, 0, 12) + in_segment) == {1}
    empty = in_segment[:-2] + b"\xff\xff"
    assert segments(chained=header + struct.pack("<3I", 2, 0, 12) + empty) == frozenset()
    with pytest.raises(MachOError, match="cut off"):
        segments(chained=header + struct.pack("<3I", 2, 0, 12) + in_segment[:-2])
