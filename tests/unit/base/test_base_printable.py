from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge.base.printable import printable, printable_lines


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("pkg/_x.so", "pkg/_x.so"),
        ("exämple — ok", "exämple — ok"),
        ("a\x1b[31mRED", "a\\x1b[31mRED"),
        ("x\n::error file=x::y", "x\\n::error file=x::y"),
        ("::error::y", "\\x3a:error::y"),
        ("  ::set-output name=a::b", "  \\x3a:set-output name=a::b"),
        ("std::vector", "std::vector"),
        ("a ##[command]b", "a \\x23#[command]b"),
        ("##vso[task.setvariable]", "\\x23#vso[task.setvariable]"),
        ("##teamcity[x]", "\\x23#teamcity[x]"),
        ("## heading", "## heading"),
        ("\r\t\x7f\x9b", "\\r\\t\\x7f\\x9b"),
        ("a\u202eb\u2028c\ufeff", "a\\u202eb\\u2028c\\ufeff"),
        ("\udc80", "\\udc80"),
    ],
)
def test_what_is_not_text_is_shown_as_an_escape(text: str, safe: str) -> None:
    assert printable(text) == safe


def test_lines_keep_their_breaks() -> None:
    assert printable_lines("a\n\tb\x1b\n::error::c\n") == "a\n\tb\\x1b\n\\x3a:error::c\n"


@given(st.text())
def test_nothing_unsafe_is_left(text: str) -> None:
    made = printable(text)
    assert len(made.splitlines()) <= 1
    assert not made.lstrip().startswith("::")
    assert "##[" not in made
    made.encode("utf-8")
    assert printable(made) == made
