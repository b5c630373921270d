"""Every length, and what is not base64."""

import base64
import binascii
import os

import pybase64
import pytest


def test_every_length():
    for length in range(200):
        data = os.urandom(length)
        assert pybase64.b64encode(data) == base64.b64encode(data)
        assert pybase64.b64decode(base64.b64encode(data), validate=True) == data
        assert pybase64.urlsafe_b64encode(data) == base64.urlsafe_b64encode(data)


def test_what_is_not_base64():
    with pytest.raises(binascii.Error):
        pybase64.b64decode(b"ab$=", validate=True)
