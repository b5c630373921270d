from __future__ import annotations

import struct
from typing import Any

import lief
import pytest

from forge.macho.edit_strip import strip_debug
from forge.macho.errors import MachOError
from forge.macho.model import MachOSlice, SignatureKind
from forge.macho.reader import read_macho
from forge.macho.sign import sign_ad_hoc
from tests.unit.macho import builder
from tests.unit.macho.builder import macho

STABS = ("/Users/me/src/", "x.c", "/Users/me/build/x.o")
FULL: dict[str, Any] = {
    "stabs": STABS,
    "locals": ("_static", "_helper"),
    "exports": ("_PyInit_x", "_other"),
    "imports": (("_PyModule_Create2", 1, False), ("_free", 2, True)),
    # _free, a local symbol's placeholder, _helper, an absolute one, _other
    "indirect": (8, 0x80000000, 4, 0xC0000000, 6),
}


def only(data: bytes) -> MachOSlice:
    (one,) = read_macho(data).slices
    return one


def command(data: bytes, number: int) -> tuple[int, ...]:
    """The numbers of a load command."""
    at = 32
    while struct.unpack_from("<I", data, at)[0] != number:
        at += struct.unpack_from("<I", data, at + 4)[0]
    return struct.unpack_from(f"<{struct.unpack_from('<I', data, at + 4)[0] // 4}I", data, at)


def symbols(data: bytes) -> list[str]:
    parsed = lief.MachO.parse(data)
    binary = parsed.at(0) if parsed is not None else None
    assert binary is not None
    return [str(symbol.name) for symbol in binary.symbols]


def indirect(data: bytes) -> list[str | int]:
    """The indirect symbols, by name."""
    offset, count = command(data, 0xB)[14:16]
    names = symbols(data)
    found = struct.unpack_from(f"<{count}I", data, offset)
    return [names[index] if index < 0x40000000 else index for index in found]


@pytest.mark.parametrize("cpu", [builder.ARM64, builder.X86_64])
def test_debug_map(cpu: tuple[int, int]) -> None:
    before = macho(cpu=cpu, **FULL)
    after = strip_debug(before)
    assert symbols(after) == ["_static", "_helper", "_PyInit_x", "_other", "_PyModule_Create2", "_free"]
    assert command(after, 0xB)[2:8] == (0, 2, 2, 2, 4, 2)
    assert indirect(after) == indirect(before) == ["_free", 0x80000000, "_helper", 0xC0000000, "_other"]
    assert only(after).exports == only(before).exports
    assert only(after).imports == only(before).imports
    assert only(after).uuid == only(before).uuid
    assert only(before).has_debug_map
    assert not only(after).has_debug_map
    assert len(after) < len(before)
    assert b"Users" not in after
    assert before[0x1000:0x2000] == after[0x1000:0x2000]
    assert only(after).segments[-1].file_size == len(after) - 0x2000
    assert strip_debug(after) is after


def test_local_symbols_go_if_asked_but_for_those_in_use() -> None:
    after = strip_debug(macho(**FULL), local_symbols=True)
    assert symbols(after) == ["_helper", "_PyInit_x", "_other", "_PyModule_Create2", "_free"]
    assert command(after, 0xB)[2:8] == (0, 1, 1, 2, 3, 2)
    assert indirect(after) == ["_free", 0x80000000, "_helper", 0xC0000000, "_other"]
    assert strip_debug(after, local_symbols=True) is after


def test_nothing_to_strip() -> None:
    data = macho(signature=b"not looked at")
    assert strip_debug(data) is data


def test_signature_is_taken_out() -> None:
    after = strip_debug(sign_ad_hoc(macho(**FULL)))
    assert only(after).signature is SignatureKind.NONE
    assert after == strip_debug(macho(**FULL))


def test_an_aliass_other_name_is_kept() -> None:
    before = bytearray(macho(stabs=STABS, locals=("_alias", "_real"), exports=(), imports=()))
    offset, _, strings = command(bytes(before), 0x2)[2:5]
    row = offset + 3 * 16
    real = struct.unpack_from("<I", before, row + 16)[0]
    before[row + 4] = 0x0A | 1  # N_INDR
    struct.pack_into("<Q", before, row + 8, real)
    after = strip_debug(bytes(before))
    offset, _, strings = command(after, 0x2)[2:5]
    value = struct.unpack_from("<Q", after, offset + 8)[0]
    assert after[strings + value :].startswith(b"_real\0")


def dwarf(**changes: object) -> bytes:
    return macho(builder.Spec(cpu=builder.X86_64, dwarf=b"D" * 5000, **changes))  # type: ignore[arg-type]  # as in macho()


@pytest.mark.parametrize("fields", [{}, FULL], ids=["alone", "with a debug map"])
def test_dwarf(fields: dict[str, Any]) -> None:
    before = dwarf(**fields)
    after = strip_debug(before)
    assert only(before).has_dwarf
    assert not only(after).has_dwarf
    assert b"DDDD" not in after
    linkedit = only(after).segments[-1]
    assert (linkedit.file_offset, linkedit.address) == (0x2000, 0x2000)
    assert only(after).exports == only(before).exports
    assert only(after).imports == only(before).imports
    assert strip_debug(after) is after
    if fields:
        assert indirect(after) == indirect(before)


def chained_fixups(*offsets: int) -> bytes:
    starts = struct.pack(f"<I{len(offsets)}I", len(offsets), *offsets)
    return struct.pack("<7I", 0, 28, 28 + len(starts), 28 + len(starts), 0, 1, 0) + starts


def with_fixups(fixups: bytes) -> bytes:
    """A file with DWARF whose chained fixups stand at the end."""
    room = dwarf(extra_commands=struct.pack("<4I", 0x80000034, 16, 0, 0), extra_count=1)
    at = room.index(struct.pack("<4I", 0x80000034, 16, 0, 0))
    data = bytearray(room.ljust(-(-len(room) // 8) * 8, b"\0") + fixups)
    struct.pack_into("<II", data, at + 8, len(data) - len(fixups), len(fixups))
    segment = data.index(b"__LINKEDIT") - 8
    struct.pack_into("<Q", data, segment + 48, len(data) - 0x4000)
    return bytes(data)


def test_chained_fixups_have_one_segment_less() -> None:
    after = strip_debug(with_fixups(chained_fixups(64, 0, 0)))
    offset, size = command(after, 0x80000034)[2:4]
    assert struct.unpack_from("<III", after, offset + 28) == (2, 64, 0)
    assert size == 48  # 44 bytes, and what aligns the next table


@pytest.mark.parametrize("fixups", [chained_fixups(0, 64, 0), chained_fixups(0, 0)[:30], b"\0" * 8])
def test_chained_fixups_that_cannot_be(fixups: bytes) -> None:
    with pytest.raises(MachOError, match="fixups"):
        strip_debug(with_fixups(fixups))


def replaced(data: bytes, old: bytes, new: bytes) -> bytes:
    assert data.count(old) == 1
    return data.replace(old, new)


WHOLE = macho(**FULL)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (WHOLE + b"x", "1 bytes follow its segment __LINKEDIT"),
        (macho(stabs=STABS, extra_commands=struct.pack("<II", 0x99, 8), extra_count=1), "load command 0x99 may point"),
        (macho(stabs=STABS, indirect=(77,)), "indirect symbols name symbol 77 of 6"),
        (macho(stabs=STABS, indirect=(0,)), None),
        (replaced(WHOLE, b"__LINKEDIT", b"__LINKEDAT"), "it has 0 segments __LINKEDIT"),
        (
            macho(stabs=STABS, extra_commands=struct.pack("<6I", 0x2, 24, 0x1000, 1, 0, 0), extra_count=1),
            "it has 2 load",
        ),
        (macho(cpu=builder.X86_64, extra_section=("__DWARF", "__debug_info")), None),
    ],
)
def test_odd_files(data: bytes, said: str | None) -> None:
    if said is None:
        read_macho(strip_debug(data))
        return
    with pytest.raises(MachOError, match=said):
        strip_debug(data)


def test_tables_elsewhere_than_in_linkedit() -> None:
    data = bytearray(WHOLE)
    at = data.index(struct.pack("<II", 0xB, 80))
    struct.pack_into("<I", data, at + 56, 0x1800)
    with pytest.raises(MachOError, match="lie outside __LINKEDIT"):
        strip_debug(bytes(data))
    struct.pack_into("<I", data, at + 56, command(WHOLE, 0x2)[2] + 4)
    with pytest.raises(MachOError, match="overlap"):
        strip_debug(bytes(data))


def test_name_outside_the_string_table() -> None:
    data = bytearray(WHOLE)
    struct.pack_into("<I", data, command(WHOLE, 0x2)[2] + 3 * 16, 1 << 20)
    with pytest.raises(MachOError, match="does not lie in its string table"):
        strip_debug(bytes(data))
