"""BSON there and back, in compiled code."""

import datetime as dt

import bson
import pymongo
from bson import ObjectId


def test_the_compiled_code_is_taken():
    assert bson.has_c()
    assert pymongo.has_c()


def test_round_trip():
    value = {
        "_id": ObjectId("65aa00000000000000000001"),
        "a": [1, 2**40, 1.5, None, True, "ü", b"\x00\xff"],
        "when": dt.datetime(2026, 11, 30, 1, 2, 3, 4000),
        "deep": {"er": {"still": {}}},
    }
    assert bson.decode(bson.encode(value)) == value
