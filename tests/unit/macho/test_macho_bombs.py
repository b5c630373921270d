"""Files that would take gigabytes or minutes: refused, or looked at as far as a budget goes."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from forge.macho import exports, fixups, load_code, reader
from forge.macho.errors import MachOError
from forge.macho.exports import read_export_trie
from forge.macho.fixups import fixed_up_segments
from forge.macho.layout import read_layout
from forge.macho.load_code import read_load_code
from forge.macho.reader import read_macho
from tests.unit.macho.builder import EXTRA_AT, macho


def test_overlapping_names_do_not_multiply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_MAX_TOTAL_NAMES", 100)
    names = tuple((f"_f{number:04}", 2, False) for number in range(20))
    with pytest.raises(MachOError, match="the names of its symbols take more than 100 bytes"):
        read_macho(macho(imports=names))


def test_more_symbols_than_a_linker_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_MAX_SYMBOLS", 2)
    with pytest.raises(MachOError, match="it has 3 symbols; more than 2 are not read"):
        read_macho(macho())


def test_a_name_without_an_end() -> None:
    data = macho()
    at = data.index(b"_free\0")
    with pytest.raises(MachOError, match="name does not lie in its string table"):
        read_macho(data[:at] + data[at:].replace(b"\0", b"x"))


def test_a_trie_of_many_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "_MAX_NODES", 3)
    trie = b"\0\x04" + b"".join(b"%c\0%c" % (97 + index, 14 + index * 2) for index in range(4)) + b"\0\0" * 4
    with pytest.raises(MachOError, match="more than 3 nodes"):
        read_export_trie(trie)


def test_many_opcodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixups, "_MAX_OPCODES", 3)
    data = macho(rebases=b"\x11" * 8)
    with pytest.raises(MachOError, match="more than 3 opcodes"):
        fixed_up_segments(data, read_layout(data)[1][0])


def test_jumps_are_paid_for(monkeypatch: pytest.MonkeyPatch) -> None:
    # 100 jumps to the next instruction each; every one is a place to look at again.
    code = struct.pack("<I", 0x14000001) * 100
    sections: tuple[Any, ...] = (
        ("__code", code, 0x80000400, 0, 0),
        ("__init_offsets", struct.pack("<I", EXTRA_AT), 0x16, 0, 0),
    )
    data = macho(sections=sections, function_starts=bytes([EXTRA_AT & 0x7F | 0x80, EXTRA_AT >> 7, 0]))
    seen: list[int] = []
    original = load_code._Walk._instructions

    def counted(self: Any, at: int) -> Any:
        seen.append(at)
        return original(self, at)

    monkeypatch.setattr(load_code._Walk, "_instructions", counted)
    monkeypatch.setattr(load_code, "_MAX_INSTRUCTIONS", 90)
    assert read_load_code(data, read_layout(data)[1][0], read_macho(data).slices[0]).functions == 1
    assert len(seen) == 10  # 8 for each jump, 1 for each instruction
