from __future__ import annotations

import ctypes
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

EXTENDED, ICASE, NOSUB, NEWLINE, NOSPEC, PEND = 1, 2, 4, 8, 16, 32
NOTBOL, STARTEND = 1, 4
NOMATCH, EPAREN, INVARG = 1, 8, 16


class Regex(ctypes.Structure):
    _fields_ = (
        ("magic", ctypes.c_int), ("groups", ctypes.c_size_t), ("end", ctypes.c_void_p), ("guts", ctypes.c_void_p),
    )  # fmt: skip


class Match(ctypes.Structure):
    _fields_ = (("start", ctypes.c_int64), ("end", ctypes.c_int64))


def search(
    shim: ctypes.CDLL, pattern: bytes, text: bytes, flags: int = EXTENDED, how: int = 0, span: tuple[int, int] = (0, 0)
) -> list[tuple[int, int]] | int:
    """Where the match and its groups are, or the code of what went wrong."""
    regex, matches = Regex(), (Match * 10)(Match(*span))
    if code := int(shim.forge_darwin_regcomp(ctypes.byref(regex), pattern, flags)):
        return code
    code = shim.forge_darwin_regexec(ctypes.byref(regex), text, ctypes.c_size_t(10), matches, how)
    groups = regex.groups
    shim.forge_darwin_regfree(ctypes.byref(regex))
    return code or [(match.start, match.end) for match in matches[: groups + 1]]


def test_matches_and_groups(shim: ctypes.CDLL) -> None:
    assert search(shim, b"b(c*)(x)?", b"abccd") == [(1, 4), (2, 4), (-1, -1)]
    assert search(shim, b"B", b"abc") == NOMATCH
    assert search(shim, b"B", b"abc", EXTENDED | ICASE) == [(1, 2)]
    assert search(shim, b"^b", b"a\nb") == NOMATCH
    assert search(shim, b"^b", b"a\nb", EXTENDED | NEWLINE) == [(2, 3)]
    assert search(shim, b"^a", b"a", how=NOTBOL) == NOMATCH
    assert search(shim, b"(a", b"") == EPAREN


def test_a_part_of_a_text(shim: ctypes.CDLL) -> None:
    assert search(shim, b"a+", b"aaaaaa", how=STARTEND, span=(2, 4)) == [(2, 4)]


def test_without_groups_nothing_is_written(shim: ctypes.CDLL) -> None:
    assert search(shim, b"(b)", b"abc", EXTENDED | NOSUB, span=(7, 7)) == [(7, 7), (0, 0)]


@given(text=st.text("ab.[]*^$\\(){}+?|", max_size=12))
def test_a_literal_pattern_is_found_as_it_is(shim: ctypes.CDLL, text: str) -> None:
    start = len("xx")
    found = search(shim, text.encode(), f"xx{text}yy".encode(), NOSPEC)
    assert found == ([(start, start + len(text))] if text else [(0, 0)])


@given(
    st.from_regex(r"[ab]{0,8}", fullmatch=True), st.sampled_from(["a", "b", "ab", "a*b", "(a|b)b", "a.b", "^b", "a$"])
)
def test_simple_expressions_are_pythons(shim: ctypes.CDLL, text: str, pattern: str) -> None:
    theirs = re.search(pattern, text)
    found = search(shim, pattern.encode(), text.encode())
    assert found == ([theirs.span(n) for n in range(theirs.re.groups + 1)] if theirs else NOMATCH)


def test_a_pattern_with_an_end(shim: ctypes.CDLL) -> None:
    pattern = ctypes.create_string_buffer(b"abc")
    regex = Regex(end=ctypes.addressof(pattern) + 2)
    assert shim.forge_darwin_regcomp(ctypes.byref(regex), pattern, EXTENDED | PEND) == 0
    matches = (Match * 1)()
    assert shim.forge_darwin_regexec(ctypes.byref(regex), b"xab", ctypes.c_size_t(1), matches, 0) == 0
    assert (matches[0].start, matches[0].end) == (1, 3)
    shim.forge_darwin_regfree(ctypes.byref(regex))


@pytest.mark.parametrize("code", [0, NOMATCH, EPAREN, INVARG])
def test_errors_have_words(shim: ctypes.CDLL, code: int) -> None:
    shim.forge_darwin_regerror.restype = ctypes.c_size_t
    text = ctypes.create_string_buffer(100)
    needed = shim.forge_darwin_regerror(code, None, text, ctypes.c_size_t(100))
    assert needed == len(text.value) + 1 > 1
    cut = ctypes.create_string_buffer(5)
    assert shim.forge_darwin_regerror(code, None, cut, ctypes.c_size_t(5)) == needed
    assert cut.value == text.value[:4]
