"""Queries, points and the version of the grammar interface; grammars are packages of their own."""

import pytest
import tree_sitter
from tree_sitter import Parser, Point, Range


def test_what_needs_no_grammar():
    assert tree_sitter.LANGUAGE_VERSION >= tree_sitter.MIN_COMPATIBLE_LANGUAGE_VERSION >= 13
    assert Range(Point(0, 1), Point(2, 3), 1, 30).end_point == (2, 3)
    parser = Parser()
    assert parser.language is None
    with pytest.raises(ValueError, match="Parsing failed"):
        parser.parse(b"x")
