from __future__ import annotations

import hashlib
import struct

import pytest

from forge.macho.edit import Edit, apply_edit
from forge.macho.edit_commands import NoRoomError
from forge.macho.errors import MachOError
from forge.macho.model import MachOSlice, SignatureKind
from forge.macho.reader import read_macho
from forge.macho.sign import (
    SignatureCheck,
    SignatureStatus,
    remove_signature,
    sign_ad_hoc,
    verify_signature,
)
from tests.unit.macho import builder
from tests.unit.macho.builder import ad_hoc_signature, fat, macho

VALID = SignatureCheck(SignatureStatus.VALID, SignatureKind.LINKER)
SIGNED = sign_ad_hoc(macho())


def only(data: bytes) -> MachOSlice:
    (one,) = read_macho(data).slices
    return one


def signature(data: bytes) -> int:
    """Where the signature starts."""
    at = data.index(struct.pack("<II", 0x1D, 16))
    offset: int = struct.unpack_from("<I", data, at + 8)[0]
    return offset


def changed(data: bytes, at: int, fmt: str, *values: int) -> bytes:
    return data[:at] + struct.pack(fmt, *values) + data[at + struct.calcsize(fmt) :]


@pytest.mark.parametrize("cpu", [builder.ARM64, builder.X86_64])
@pytest.mark.parametrize("strings", [b"", b"x" * 4000])
def test_signing(cpu: tuple[int, int], strings: bytes) -> None:
    before = macho(cpu=cpu, strings=strings, platform=builder.SIMULATOR)
    assert verify_signature(before) == SignatureCheck(SignatureStatus.NONE, SignatureKind.NONE)
    after = sign_ad_hoc(before)
    assert verify_signature(after) == VALID
    assert only(after).exports == only(before).exports
    assert only(after).segments[-1].file_size == len(after) - 0x2000
    assert sign_ad_hoc(after) == after
    assert remove_signature(after)[0x1000:] == before.ljust(signature(after), b"\0")[0x1000:]
    assert sign_ad_hoc(remove_signature(after)) == after
    assert remove_signature(before) is before


def test_what_is_written() -> None:
    at = signature(SIGNED)
    assert at % 16 == 0
    blob = SIGNED[at:]
    directory = blob[24:]
    assert struct.unpack_from(">5I", blob) == (0xFADE0CC0, len(blob), 1, 0, 24)
    hashes = struct.unpack_from(">I", directory, 16)[0]
    slots = -(-at // 4096)
    assert struct.unpack_from(">9I", directory) == (
        0xFADE0C02, len(directory), 0x20400, 0x20002, hashes, 88, 0, slots, at,
    )  # fmt: skip
    assert directory[36:40] == b"\x20\x02\x00\x0c"
    assert struct.unpack_from(">QQQ", directory, 64) == (0, 0x2000, 0)
    assert directory[88:hashes].rstrip(b"\0") == b"x"
    assert directory[hashes : hashes + 32] == hashlib.sha256(SIGNED[:4096]).digest()
    assert len(directory) == hashes + 32 * slots


def test_identifier() -> None:
    assert b"org.example.x\0" in sign_ad_hoc(SIGNED, "org.example.x")
    with pytest.raises(MachOError, match="no install name"):
        sign_ad_hoc(macho(file_type=builder.BUNDLE, install_name=None))
    assert verify_signature(sign_ad_hoc(macho(file_type=builder.BUNDLE, install_name=None), "x")) == VALID


def test_a_renewed_signature_keeps_its_identifier_and_form() -> None:
    signed = sign_ad_hoc(macho(), "first")
    renewed = sign_ad_hoc(apply_edit(signed, Edit(install_name="@rpath/second")))
    assert b"first\0" in renewed[signature(renewed) :]
    assert verify_signature(renewed) == VALID


def test_a_persons_signature_becomes_an_ad_hoc_one() -> None:
    signed = macho(signature=ad_hoc_signature(0, cms=b"certificate"))
    assert only(signed).signature is SignatureKind.SIGNED
    assert verify_signature(sign_ad_hoc(signed)) == VALID


def test_changes_are_noticed() -> None:
    check = verify_signature(changed(SIGNED, 0x1002, "<B", 99))
    assert check == SignatureCheck(
        SignatureStatus.INVALID, SignatureKind.LINKER, "page 1 (from byte 4096) is not what was signed"
    )
    assert verify_signature(apply_edit(SIGNED, Edit(install_name="y"))).status is SignatureStatus.INVALID


AT = signature(SIGNED)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (changed(SIGNED, AT, ">I", 1), "does not start"),
        (changed(SIGNED, AT + 4, ">I", 1 << 20), "cut off"),
        (changed(SIGNED, AT + 8, ">I", 1 << 20), "cut off"),
        (changed(SIGNED, AT + 8, ">I", 0), "0 code directories"),
        (changed(SIGNED, AT + 16, ">I", 1 << 20), "cut off"),
        (changed(SIGNED, AT + 24, ">I", 7), "malformed"),
        (changed(SIGNED, AT + 28, ">I", 1 << 20), "malformed"),
        (changed(SIGNED, AT + 24 + 32, ">I", 16), "covers 16 bytes"),
        (changed(SIGNED, AT + 24 + 36, ">B", 20), "unknown kind"),
        (changed(SIGNED, AT + 24 + 37, ">B", 9), "unknown kind"),
        (changed(SIGNED, AT + 24 + 39, ">B", 63), "hashes for"),
        (changed(SIGNED, AT + 24 + 28, ">I", 2), "2 hashes for"),
        (changed(SIGNED, AT + 24 + 16, ">I", 1 << 20), "hashes for"),
        (SIGNED + b"x", "1 bytes follow"),
    ],
)
def test_malformed_signatures(data: bytes, problem: str) -> None:
    check = verify_signature(data)
    assert check.status is SignatureStatus.INVALID
    assert check.problem is not None
    assert problem in check.problem


def test_one_page_for_all() -> None:
    data = changed(SIGNED, AT + 24 + 39, ">B", 0)
    data = changed(data, AT + 24 + 28, ">I", 1)
    hashes = AT + 24 + struct.unpack_from(">I", data, AT + 24 + 16)[0]
    data = data[:hashes] + hashlib.sha256(data[:AT]).digest() + data[hashes + 32 :]
    assert verify_signature(data) == VALID


def test_no_room() -> None:
    data = macho(text_at=only(macho()).commands_end)
    with pytest.raises(NoRoomError):
        sign_ad_hoc(data)


def test_files_that_are_not_signed() -> None:
    for data in (fat(macho()), macho(file_type=2), SIGNED + b"x", b""):
        with pytest.raises(MachOError):
            sign_ad_hoc(data)
    with pytest.raises(MachOError, match="fat"):
        verify_signature(fat(macho()))
