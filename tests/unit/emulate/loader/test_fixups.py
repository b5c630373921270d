from __future__ import annotations

import dataclasses
import struct
from typing import TYPE_CHECKING

import pytest

from forge.emulate.runtime.errors import MachOImportError
from forge.emulate.runtime.model import Export, ExportKind, Import
from forge.emulate.runtime.reader import read_image
from forge.emulate.runtime.trie import read_trie
from tests.unit.emulate.loader.samples import (
    CHAINED,
    CLASSIC,
    PAGE,
    X86_64,
    Sample,
    bind_64,
    chained,
    rebase_64,
    trie,
)

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from forge.emulate.runtime.model import Fixups

D = PAGE  # where __DATA is
HUGE = b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f"


def fixups(sample: Sample, **fields: object) -> Fixups:
    changed = dataclasses.replace(sample, **fields)  # type: ignore[arg-type]  # tests name Sample's fields
    return read_image(changed.bytes(), X86_64[0]).fixups


def refused(sample: Sample, **fields: object) -> str:
    with pytest.raises(MachOImportError) as caught:
        fixups(sample, **fields)
    return caught.value.problem


@pytest.mark.parametrize(
    ("table", "places"),
    [
        (b"\x11\x21\x00\x51\x00", [0]),
        (b"\x11\x21\x08\x53\x00", [8, 16, 24]),
        (b"\x11\x21\x00\x60\x04\x00", [0, 8, 16, 24]),
        (b"\x11\x21\x00\x51\x30\x10\x51\x00", [0, 24]),
        (b"\x11\x21\x00\x51\x42\x51\x00", [0, 24]),
        (b"\x11\x21\x00\x70\x08\x51\x00", [0, 16]),
        (b"\x11\x21\x00\x80\x03\x08\x51\x00", [0, 16, 32, 48]),
        (b"\x11\x21\x03\x51", [3]),  # unaligned, and no end
    ],
)
def test_rebase_opcodes(table: bytes, places: list[int]) -> None:
    assert list(fixups(Sample(rebase=table)).slides) == [D + place for place in places]


def rows(found: Fixups) -> list[tuple[int, Import, int]]:
    binds = found.binds
    return [
        (at - D, found.imports[index], addend)
        for at, index, addend in zip(binds.at, binds.imports, binds.addends, strict=True)
    ]


A = Import("_a", 1, weak=False)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (b"\x11\x40_a\0\x51\x71\x00\x90\x00", [(0, A, 0)]),
        (b"\x20\x01\x40_a\0\x51\x71\x00\x90\x00", [(0, A, 0)]),
        (b"\x11\x40_a\0\x51\x60\x7e\x71\x00\x90\x00", [(0, A, -2)]),
        (b"\x11\x40_a\0\x51\x71\x00\xa0\x08\x90\x00", [(0, A, 0), (16, A, 0)]),
        (b"\x11\x40_a\0\x51\x71\x00\xb2\x90\x00", [(0, A, 0), (24, A, 0)]),
        (b"\x11\x40_a\0\x51\x71\x00\xc0\x02\x08\x00", [(0, A, 0), (16, A, 0)]),
        # A step back is a large step forward.
        (b"\x11\x40_a\0\x51\x71\x10\x90\x80\xe8\xff\xff\xff\xff\xff\xff\xff\xff\x01\x90", [(16, A, 0), (0, A, 0)]),
        (b"\x3e\x41_a\0\x51\x71\x00\x90\x00", [(0, Import("_a", -2, weak=True), 0)]),
        (b"\x30\x40_a\0\x51\x71\x00\x90\x00", [(0, Import("_a", 0, weak=False), 0)]),
    ],
)
def test_bind_opcodes(table: bytes, expected: list[tuple[int, Import, int]]) -> None:
    assert rows(fixups(Sample(bind=table))) == expected


def test_lazy_binds_go_on_after_done() -> None:
    table = b"\x71\x00\x11\x40_a\0\x90\x00\x71\x08\x11\x40_b\0\x90\x00"
    assert [(at, wanted.name) for at, wanted, _ in rows(fixups(Sample(lazy=table)))] == [(0, "_a"), (8, "_b")]


def test_weak_binds_have_a_table_of_their_own() -> None:
    # The first row says that the file has a strong definition, and binds nothing.
    found = fixups(Sample(weak=b"\x48_mine\0\x40_any\0\x51\x71\x00\x90\x00"))
    assert found.imports == (Import("_any", -3, weak=False),)
    assert list(found.weak_binds.at) == [D]
    assert not found.binds.at


@pytest.mark.parametrize("pointer_format", [2, 6])
@pytest.mark.parametrize("imports_format", [1, 2, 3])
def test_a_chain(pointer_format: int, imports_format: int) -> None:
    base = 0x1_0000_0000
    addend = 0 if imports_format == 1 else -4
    target = 0x800 + (base if pointer_format == 2 else 0)
    found = fixups(
        Sample(
            preferred=base,
            chained=chained(
                ((1, 0, addend), (-2, 1, 0)),
                ("_a", "_b"),
                pointer_format=pointer_format,
                imports_format=imports_format,
            ),
            data=rebase_64(target, 2, high=0x12) + bind_64(0, 4, 3) + bytes(8) + bind_64(1),
        )
    )
    assert [(at - D, value) for at, value in zip(found.pointer_at, found.pointers, strict=True)] == [
        (0, 0x1200_0000_0000_0800)
    ]
    assert rows(found) == [(8, A, addend + 3), (24, Import("_b", -2, weak=True), 0)]


def test_pages_have_chains_of_their_own() -> None:
    table = chained(starts=(0xFFFF,))
    assert rows(fixups(CHAINED, chained=table)) == []


def test_no_fixups_at_all() -> None:
    found = fixups(CHAINED, chained=b"")
    assert not found.binds.at
    assert not found.pointer_at


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"rebase": b"\x11\x51"}, id="rebase before a segment"),
        pytest.param({"rebase": b"\x11\x25\x00\x51"}, id="no such segment"),
        pytest.param({"rebase": b"\x11\x20\x00\x51"}, id="rebase in code"),
        pytest.param({"rebase": b"\x11\x21\xfc\x1f\x51"}, id="rebase over the end"),
        pytest.param({"rebase": b"\x11\x21\x00\x60" + HUGE}, id="very many rebases"),
        pytest.param({"rebase": b"\x11\x21\x00\x80\x02" + HUGE}, id="very far apart"),
        pytest.param({"rebase": b"\x11\x21\x00\x60" + b"\xff" * 11}, id="a number above 64 bits"),
        pytest.param({"rebase": b"\x11\x21\x00" + b"\x60\x80\x04\x21\x00" * 9}, id="more rebases than bytes"),
        pytest.param({"rebase": b"\x12\x21\x00\x51"}, id="rebase of 32 bits"),
        pytest.param({"rebase": b"\xf0"}, id="unknown rebase opcode"),
        pytest.param({"bind": b"\x12\x40_a\0\x51\x71\x00\x90"}, id="ordinal out of range"),
        pytest.param({"bind": b"\x3c\x40_a\0\x51\x71\x00\x90"}, id="unknown special ordinal"),
        pytest.param({"bind": b"\x11\x40_a"}, id="unterminated name"),
        pytest.param({"bind": b"\x11\x40_a\0\x51\x71\x00\xd0"}, id="threaded"),
        pytest.param({"chained": chained(((2, 0, 0),))}, id="chained ordinal out of range"),
        pytest.param({"chained": chained(pointer_format=1)}, id="arm64e pointers"),
        pytest.param({"chained": chained(imports_format=1, symbols_format=1)}, id="compressed names"),
        pytest.param({"chained": chained(starts=(0x8000,))}, id="several chains a page"),
        pytest.param({"chained": chained(starts=(0,) * 3), "data": bytes(8)}, id="a page behind the segment"),
        pytest.param({"chained": chained(), "data": rebase_64(0x3001)}, id="target outside"),
        pytest.param({"chained": chained(), "data": bind_64(1)}, id="no such import"),
        pytest.param(
            {"chained": chained(starts=(0xFF8,)), "data": bytes(0xFF8) + rebase_64(0, 2)}, id="leaves its page"
        ),
        pytest.param({"chained": chained()[:30]}, id="cut off"),
        pytest.param(
            {"chained": chained(((1, 0, (1 << 63) - 1),), imports_format=3), "data": bind_64(0, 0, 1)}, id="addend"
        ),
    ],
)
def test_what_is_refused(fields: dict[str, object], snapshot: SnapshotAssertion) -> None:
    assert refused(CLASSIC, **fields) == snapshot


def test_the_export_trie() -> None:
    found = read_trie(
        trie(
            ("_regular", b"\x00\x10"),
            ("_weak", b"\x04\x11"),
            ("_local", b"\x01\x12"),
            ("_absolute", b"\x02\x80\x80\x80\x80\x80\x01"),
            ("_there", b"\x08\x01_other\0"),
            ("_same", b"\x08\x01\0"),
            ("_resolved", b"\x10\x13\x14"),
            ("caf\u00e9", b"\x00\x15"),
        ),
        0x1000,
        1,
    )
    assert found == {
        "_regular": Export(ExportKind.REGULAR, 0x10),
        "_weak": Export(ExportKind.REGULAR, 0x11, weak=True),
        "_local": Export(ExportKind.THREAD_LOCAL, 0x12),
        "_absolute": Export(ExportKind.ABSOLUTE, 1 << 35),
        "_there": Export(ExportKind.REEXPORT, 1, "_other"),
        "_same": Export(ExportKind.REEXPORT, 1, ""),
        "_resolved": Export(ExportKind.RESOLVER, 0x14),
        "caf\u00e9": Export(ExportKind.REGULAR, 0x15),
    }


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(b"\x00\x01_a\0\x00", id="cycle"),
        pytest.param(b"\x00\x01_a\0\x7f", id="outside"),
        pytest.param(b"\x00\x01_a", id="edge cut off"),
        pytest.param(b"\x05\x00", id="node cut off"),
        pytest.param(trie(("_a", b"\x00\x80\x80\x04")), id="address outside"),
        pytest.param(trie(("_a", b"\x08\x02\0")), id="ordinal"),
        pytest.param(trie(("_a", b"\x03\x01")), id="kind"),
        pytest.param(trie(("_a", b"\x08\x01_b")), id="name cut off"),
    ],
)
def test_damaged_tries(table: bytes, snapshot: SnapshotAssertion) -> None:
    with pytest.raises(MachOImportError) as caught:
        read_trie(table, 0x1000, 1)
    assert caught.value.problem == snapshot


def test_names_of_a_trie_cannot_fill_the_memory() -> None:
    # Each node but the last has one child, a long edge away: 4,000 nodes, names of 4,000 * 4,000 * 60 / 2 bytes.
    table = bytearray()
    for _ in range(4000):
        at = len(table) + 2 + 60 + 1 + 3
        table += b"\x00\x01" + b"x" * 60 + b"\0" + bytes([at & 0x7F | 0x80, at >> 7 & 0x7F | 0x80, at >> 14])
    table += b"\x00\x00"
    with pytest.raises(MachOImportError, match="too long"):
        read_trie(bytes(table), 0x1000, 1)


def test_pointers_of_chains_are_what_is_in_the_file() -> None:
    data = dataclasses.replace(CHAINED).bytes()
    (first,) = struct.unpack_from("<Q", data, D)
    assert first & 0xFFFFFFFFF == fixups(CHAINED).pointers[0]
