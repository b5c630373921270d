"""JSON5 there and back."""

import pyjson5
import pytest


def test_values():
    assert pyjson5.decode("{a: [1, .5, +2, 0xff, Infinity,], /* c */ 'b': \"x\\\ny\"}") == {
        "a": [1, 0.5, 2, 255, float("inf")],
        "b": "xy",
    }
    assert pyjson5.decode(pyjson5.encode({"a": [None, True, "ü"]})) == {"a": [None, True, "ü"]}
    with pytest.raises(pyjson5.Json5Exception):
        pyjson5.decode("{a")
