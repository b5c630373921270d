"""Broken input to the functions that change files: a file that holds together comes out, or an error of ours."""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from forge.macho import layout
from forge.macho.edit import Edit, apply_edit
from forge.macho.edit_strip import strip_debug
from forge.macho.errors import MachOError
from forge.macho.fat import join_fat, split_fat
from forge.macho.sign import SignatureStatus, remove_signature, sign_ad_hoc, verify_signature
from tests.unit.effort import cases
from tests.unit.macho import builder
from tests.unit.macho.builder import fat, macho

_FIELDS = builder.Spec(
    cpu=builder.X86_64,
    stabs=("/src/x.c", "/src/x.o"),
    locals=("_a",),
    indirect=(3, 0x80000000),
    rpaths=("/build", "@loader_path"),
    dwarf=b"D" * 64,
    encrypted=True,
)
FILES = (sign_ad_hoc(macho(_FIELDS)), sign_ad_hoc(macho()), fat(macho()))


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(FILES)))
    # Load commands, and the tables at the end: what decisions are made upon.
    places = st.integers(0, 1200) | st.integers(len(data) - 1500, len(data) - 1)
    for at in draw(st.lists(places, max_size=6)):
        value = draw(
            st.sampled_from([b"\0", b"\xff", b"\x01", b"\xff\xff\xff\x7f", b"\0\0\0\0", b"\0\0\1\0"])
            | st.binary(min_size=1, max_size=4)
        )
        data[at : at + len(value)] = value
    return bytes(data[: draw(st.none() | st.integers(0, len(data)))])


EDIT = Edit("@rpath/a.framework/a", True, {builder.SYSTEM: "@rpath/b"}, ("@loader_path", "@new"))


@settings(max_examples=cases(150))
@given(mutated())
def test_edits(data: bytes) -> None:
    for change in (lambda file: apply_edit(file, EDIT), strip_debug, remove_signature, sign_ad_hoc):
        with contextlib.suppress(MachOError):
            layout.read_layout(change(data))
    with contextlib.suppress(MachOError):
        assert verify_signature(sign_ad_hoc(data)).status is SignatureStatus.VALID
    with contextlib.suppress(MachOError):
        assert isinstance(verify_signature(data).status, SignatureStatus)


@settings(max_examples=cases(100))
@given(mutated())
def test_fat_files(data: bytes) -> None:
    with contextlib.suppress(MachOError):
        for part in split_fat(data):
            layout.read_layout(part)
    with contextlib.suppress(MachOError):
        assert split_fat(join_fat([data])) == (data,)
