"""LEB128 numbers (DWARF 5, section 7.6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge.macho.errors import MachOError
from forge.macho.leb import read_uleb, skip_sleb


def written(number: int, padding: int = 0) -> bytes:
    """DWARF 5, appendix C, figure C.1; *padding* bytes more than are needed."""
    parts = [number & 0x7F]
    while number := number >> 7:
        parts.append(number & 0x7F)
    parts += [0] * padding
    return bytes([*(part | 0x80 for part in parts[:-1]), parts[-1]])


@given(st.integers(0, 2**64 - 1), st.binary(max_size=3), st.binary(max_size=3))
def test_a_number_between_other_bytes(number: int, before: bytes, after: bytes) -> None:
    data = before + written(number) + after
    assert read_uleb(data, len(before), "it") == (number, len(data) - len(after))


def test_a_number_may_be_padded() -> None:
    assert read_uleb(written(5, padding=3), 0, "it") == (5, 4)


@given(st.binary(max_size=12), st.integers(0, 12))
def test_any_bytes_give_a_number_within_them_or_an_error(data: bytes, at: int) -> None:
    try:
        number, end = read_uleb(data, at, "it")
    except MachOError:
        return
    assert 0 <= number < 2**64
    assert at < end <= len(data)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "the trie is cut off"),
        (b"\x80\x80", "the trie is cut off"),
        (written(2**64), "the trie has a number above 64 bits"),
        (b"\x80" * 10 + b"\x00", "the trie has a number above 64 bits"),
    ],
)
def test_errors(data: bytes, problem: str) -> None:
    with pytest.raises(MachOError, match=problem):
        read_uleb(data, 0, "the trie")


def signed(number: int) -> bytes:
    """DWARF 5, appendix C, figure C.2."""
    parts = [number & 0x7F]
    while not (number in (0, -1) or number >> 7 in (0, -1)) or (parts[-1] & 0x40 != 0) is not (number < 0):
        number >>= 7
        parts.append(number & 0x7F)
    return bytes([*(part | 0x80 for part in parts[:-1]), parts[-1]])


def test_the_specification_s_signed_numbers() -> None:  # DWARF 5, table 7.8
    assert [signed(number).hex() for number in (2, -2, 127, -127, 128, -128, 129, -129)] == [
        "02", "7e", "ff00", "817f", "8001", "807f", "8101", "ff7e",
    ]  # fmt: skip


@given(st.integers(-(2**63), 2**63 - 1), st.binary(max_size=3), st.binary(max_size=3))
def test_a_signed_number_between_other_bytes(number: int, before: bytes, after: bytes) -> None:
    data = before + signed(number) + after
    assert skip_sleb(data, len(before), "it") == len(data) - len(after)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "the trie is cut off"),
        (b"\xff\xff", "the trie is cut off"),
        (b"\x80" * 10 + b"\x00", "the trie has a number above 64 bits"),
    ],
)
def test_errors_of_signed_numbers(data: bytes, problem: str) -> None:
    with pytest.raises(MachOError, match=problem):
        skip_sleb(data, 0, "the trie")
