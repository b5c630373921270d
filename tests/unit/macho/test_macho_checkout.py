from __future__ import annotations

import struct
from typing import Any

import pytest

from forge.macho.checkout import layout_problem
from forge.macho.edit import Edit, apply_edit
from forge.macho.edit_linkedit import mend_layout
from forge.macho.edit_strip import strip_debug
from forge.macho.layout import read_layout
from forge.macho.sign import remove_signature, sign_ad_hoc
from tests.unit.macho import builder
from tests.unit.macho.builder import macho


def problem(data: bytes) -> str | None:
    return layout_problem(read_layout(data)[1][0])


def patched(data: bytes, number: int, field: int, *values: int) -> bytes:
    """The file with 32-bit fields of the load command *number* changed."""
    at, changed = 32, bytearray(data)
    for _ in range(struct.unpack_from("<I", data, 16)[0]):
        command, size = struct.unpack_from("<II", data, at)
        if command == number:
            struct.pack_into(f"<{len(values)}I", changed, at + field, *values)
            return bytes(changed)
        at += size
    raise AssertionError(number)


def field(data: bytes, number: int, at: int) -> int:
    for command in read_layout(data)[1][0].commands:
        if command.number == number:
            return command.u32(at)
    raise AssertionError(number)


FULL: dict[str, Any] = {
    "rebases": b"\x11\x20\x10\x51",
    "function_starts": b"\x80\x20\0",
    "indirect": (1, 2, 1),
    "stabs": ("/build/x.o",),
    "locals": ("_static",),
}


@pytest.mark.parametrize("changes", [{}, FULL, {**FULL, "file_type": builder.BUNDLE, "install_name": None}])
def test_what_linkers_write_is_taken(changes: dict[str, Any]) -> None:
    assert problem(macho(**changes)) is None
    assert problem(macho(**changes, signature=bytes(40))) is None


def test_object_files_are_laid_out_otherwise() -> None:
    assert problem(macho(file_type=1, flags=0) + b"more") is None


@pytest.mark.parametrize("length", range(1, 9))
def test_every_edit_keeps_it(length: int) -> None:
    # The string table's length modulo 8 decides where padding is needed.
    data = macho(**{**FULL, "exports": ("_PyInit_x", "_" + "e" * length)})
    stripped = strip_debug(data)
    signed = sign_ad_hoc(stripped)
    for made in (
        stripped,
        signed,
        remove_signature(signed),
        strip_debug(sign_ad_hoc(data)),
        apply_edit(signed, Edit(install_name="@rpath/a.framework/a")),
    ):
        assert problem(made) is None
    assert remove_signature(signed) == stripped


def test_padding_that_only_aligned_a_signature_goes_with_it() -> None:
    data = macho(signature=bytes(64))
    strings = field(data, 2, 16)
    cut = patched(data, 2, 20, field(data, 0x1D, 8) - strings - 5)  # 5 bytes that nothing counts
    assert problem(cut) is None
    made = remove_signature(cut)
    assert problem(made) is None
    assert len(made) == strings + field(made, 2, 20)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (macho() + bytes(4), "the segment __LINKEDIT ends at byte"),
        (patched(macho(), 2, 20, field(macho(), 2, 20) - 4), "the tables of __LINKEDIT end at byte"),
        (patched(macho(), 2, 16, field(macho(), 2, 16) - 8), "the string table is at byte"),
        (patched(macho(), 2, 8, field(macho(), 2, 8) + 8), "the symbol table is at byte"),
        (patched(macho(), 0xB, 24, 7), "the undefined symbols start at index 7 instead of 1"),
        (patched(macho(signature=bytes(64)), 0x1D, 8, 0), "the code signature is at byte 0"),
        (patched(macho(**FULL), 0x26, 8, 4096), "the function starts are at byte 4096"),
        (patched(macho(rebases=b"\x11\x20\x10\x51"), 0x80000022, 8, 4096), "dyld's information is at byte 4096"),
        (macho(extra_section=("__LLVM", "__bundle")), "the segment __LLVM is not right before __LINKEDIT"),
        (macho(extra_commands=struct.pack("<4I", 0x26, 16, 0, 0) * 2, extra_count=2), "more than one LC_FUNCTION"),
    ],
)
def test_what_apples_tools_refuse(data: bytes, said: str) -> None:
    assert said in (problem(data) or "")


def test_gaps_are_closed() -> None:
    data = macho()
    gap = patched(data, 2, 20, field(data, 2, 20) - 4)
    assert problem(gap) is not None
    made = mend_layout(gap)
    assert problem(made) is None
    assert mend_layout(made) is made
