"""What the standard library's re cannot do, in the C matcher."""

import regex


def test_repeated_captures():
    assert regex.fullmatch(r"(?:(\w)(\d))+", "a1b2c3").captures(1) == ["a", "b", "c"]


def test_fuzzy_matching():
    found = regex.search(r"(?:cats){e<=1}", "the cuts")
    assert found.group() == "cuts"
    assert found.fuzzy_counts == (1, 0, 0)


def test_recursion_and_properties():
    assert regex.fullmatch(r"(\((?:[^()]|(?1))*\))", "(a(b)(c(d)))")
    assert regex.findall(r"\p{Script=Greek}+", "abc αβγ δ") == ["αβγ", "δ"]
