"""Numbers, strings and unfinished text."""

import jiter
import pytest


def test_values():
    assert jiter.from_json(b'{"a": [1, 2.5, true, null, "\\u00e9"]}') == {"a": [1, 2.5, True, None, "\u00e9"]}
    assert jiter.from_json(str(2**100).encode()) == 2**100


def test_an_error_says_where():
    with pytest.raises(ValueError, match="line 1 column"):
        jiter.from_json(b'{"a": ]')


def test_unfinished_text():
    assert jiter.from_json(b'["a", "b', partial_mode="trailing-strings") == ["a", "b"]
