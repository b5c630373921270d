"""Values to text and back, by the C functions."""

from decimal import Decimal

import pytest
import simplejson
from simplejson import decoder, encoder, scanner


def test_the_c_functions_are_used():
    assert encoder.c_make_encoder is not None
    assert decoder.c_scanstring is not None
    assert scanner.c_make_scanner is not None


def test_round_trip():
    value = {"text": "smör\u2028\U0001f40d", "numbers": [1, -2.5, 10**30], "none": None, "nested": {"a": [True, False]}}
    assert simplejson.loads(simplejson.dumps(value)) == value
    assert simplejson.loads("1.10", use_decimal=True) == Decimal("1.10")
    assert simplejson.dumps([Decimal("1.10")], use_decimal=True) == "[1.10]"


def test_what_is_not_json():
    with pytest.raises(simplejson.JSONDecodeError) as caught:
        simplejson.loads('{"a": [1, 2,, 3]}')
    assert (caught.value.lineno, caught.value.colno) == (1, 13)
