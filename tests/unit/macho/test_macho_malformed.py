from __future__ import annotations

import contextlib
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forge.macho.errors import MachOError
from forge.macho.exports import read_export_trie
from forge.macho.formats import describe_format, looks_like_macho
from forge.macho.reader import read_macho
from tests.unit.effort import cases
from tests.unit.macho import builder
from tests.unit.macho.builder import ad_hoc_signature, fat, macho

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

WHOLE = macho(
    signature=ad_hoc_signature(),
    encrypted=True,
    rpaths=("@loader_path",),
    stabs=("/x.o",),
    exports=("_a", "_PyInit_x"),
)
FAT = fat(WHOLE, macho(cpu=builder.X86_64, version_min=True))


def replaced(data: bytes, at: int, fmt: str, *values: int) -> bytes:
    return data[:at] + struct.pack(fmt, *values) + data[at + struct.calcsize(fmt) :]


def command_at(data: bytes, number: int) -> int:
    """Where the load command *number* stands."""
    at = 32
    while struct.unpack_from("<I", data, at)[0] != number:
        at += struct.unpack_from("<I", data, at + 4)[0]
    return at


def with_command(number: int, body: bytes = b"") -> bytes:
    return macho(extra_commands=struct.pack("<II", number, 8 + len(body)) + body, extra_count=1)


MALFORMED = {
    "empty": b"",
    "elf": b"\x7fELF\2\1\1\0",
    "pe": b"MZ\x90\0",
    "archive": b"!<arch>\n",
    "java": b"\xca\xfe\xba\xbe\0\0\0\x41",
    "text": b"import os\n",
    "header cut off": WHOLE[:20],
    "commands cut off": WHOLE[:100],
    "linkedit cut off": WHOLE[:-64],
    "32 bit": b"\xce\xfa\xed\xfe" + WHOLE[4:],
    "big-endian": b"\xfe\xed\xfa\xcf" + WHOLE[4:],
    "unknown file type": replaced(WHOLE, 12, "<I", 77),
    "too many commands": replaced(WHOLE, 16, "<I", 1 << 30),
    "one command too many": replaced(WHOLE, 16, "<I", struct.unpack_from("<I", WHOLE, 16)[0] + 1),
    "command of size 0": replaced(WHOLE, 36, "<I", 0),
    "command of size 12": replaced(WHOLE, 36, "<I", 12),
    "command beyond the commands": replaced(WHOLE, 36, "<I", 1 << 20),
    "segment of many sections": replaced(WHOLE, 32 + 64, "<I", 1000),
    "segment beyond the file": replaced(WHOLE, 32 + 48, "<Q", 1 << 40),
    "section beyond the file": replaced(WHOLE, 32 + 72 + 40, "<Q", 1 << 40),
    "relocations beyond the file": replaced(WHOLE, 32 + 72 + 60, "<I", 1 << 28),
    "short segment": with_command(0x19),
    "short symbol table command": with_command(0x2, bytes(8)),
    "symbols beyond the file": replaced(WHOLE, command_at(WHOLE, 0x2) + 12, "<I", 1 << 24),
    "strings beyond the file": replaced(WHOLE, command_at(WHOLE, 0x2) + 20, "<I", 1 << 24),
    "indirect symbols beyond the file": replaced(WHOLE, command_at(WHOLE, 0xB) + 56, "<II", 16, 1 << 24),
    "exports beyond the file": replaced(WHOLE, command_at(WHOLE, 0x80000022) + 44, "<I", 1 << 24),
    "signature beyond the file": replaced(WHOLE, command_at(WHOLE, 0x1D) + 8, "<I", 1 << 24),
    "encryption beyond the file": replaced(WHOLE, command_at(WHOLE, 0x2C) + 8, "<I", 1 << 24),
    "library's name outside": replaced(WHOLE, command_at(WHOLE, 0xC) + 8, "<I", 4000),
    "rpath without an end": with_command(0x8000001C, struct.pack("<I4s", 12, b"abcd")),
    "build version of many tools": replaced(WHOLE, command_at(WHOLE, 0x32) + 20, "<I", 9),
    "library ordinal": macho(imports=(("_x", 9, False),)),
    "fat of none": b"\xca\xfe\xba\xbe\0\0\0\0",
    "fat cut off": FAT[:20],
    "fat slice beyond the file": replaced(FAT, 20, ">I", 1 << 30),
    "fat slice in the header": replaced(FAT, 16, ">I", 4),
    "fat slices overlap": replaced(FAT, 36, ">I", struct.unpack_from(">I", FAT, 16)[0] + 16),
    "fat slice of text": fat(b"#!/bin/sh\n".ljust(4096)),
    "trie cut off": macho(trie=b"\0\1_a"),
    "trie with a loop": macho(trie=b"\0\1_a\0\0"),
    "trie with a shared node": macho(trie=b"\0\2a\0\x08b\0\x08\0\0\0\0"),
    "trie node outside": macho(trie=b"\0\1a\0\x70\0\0\0"),
    "trie with an endless number": macho(trie=b"\xff" * 16),
}


def test_malformed_files_say_what_is_wrong(snapshot: SnapshotAssertion) -> None:
    said = {}
    for name, data in MALFORMED.items():
        with pytest.raises(MachOError) as caught:
            read_macho(data)
        said[name] = caught.value.message
    assert said == snapshot


@st.composite
def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    # Header and load commands, where most decisions are made, end before byte 1200.
    places = st.integers(0, 1200) | st.integers(0, len(data) - 1)
    mutable = bytearray(data)
    for at in draw(st.lists(places, max_size=8)):
        value = draw(
            st.sampled_from([b"\0", b"\xff", b"\x01", b"\xff\xff\xff\x7f", b"\0\0\0\0"])
            | st.binary(min_size=1, max_size=4)
        )
        mutable[at : at + len(value)] = value
    return bytes(mutable[: draw(st.none() | st.integers(0, len(mutable)))])


@settings(max_examples=cases(100))
@given(data=mutated(WHOLE) | mutated(FAT))
def test_mutated_files_give_a_result_or_an_error_of_ours(data: bytes) -> None:
    with contextlib.suppress(MachOError):
        assert read_macho(data).slices


@settings(max_examples=cases(100))
@given(st.binary(max_size=64))
def test_any_trie_gives_a_result_or_an_error_of_ours(trie: bytes) -> None:
    with contextlib.suppress(MachOError):
        read_export_trie(trie)


def test_trie_of_ever_longer_names_ends_soon() -> None:
    # Each node has one edge of 200 letters: names grow with the square of the trie's size.
    nodes, trie = 20_000, bytearray()
    for index in range(nodes):
        at = (index + 1) * 206
        trie += (
            b"\0\1"
            + b"a" * 199
            + b"\0"
            + bytes([at & 0x7F | 0x80, at >> 7 & 0x7F | 0x80, at >> 14 & 0x7F | 0x80, at >> 21])
        )
    # Written out, the names would need 40 GB: a reader without a limit does not get to the end of this test.
    with pytest.raises(MachOError, match="malformed"):
        read_export_trie(bytes(trie))


def test_empty_trie() -> None:
    assert read_export_trie(b"") == ()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (WHOLE, True),
        (FAT, True),
        (b"\xca\xfe\xba\xbf\0\0\0\1", True),
        (b"\xca\xfe\xba\xbe\0\0\0\x34", False),
        (b"\xca\xfe\xba\xbe", False),
        (b"", False),
        (b"\x7fELF", False),
    ],
)
def test_looks_like_macho(data: bytes, expected: bool) -> None:
    assert looks_like_macho(data[:8]) is expected


def test_describe_format() -> None:
    assert describe_format(WHOLE) == "Mach-O"
    assert describe_format(b"\x00\x01\x02\x03") == "no known format (it starts with 00 01 02 03)"
