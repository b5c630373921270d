"""The mask of WebSocket frames (RFC 6455, 5.3), by the compiled function and by Python's."""

import os

from tornado import speedups, util


def test_the_compiled_mask():
    mask = b"\x01\x80\xff\x37"
    for length in (0, 1, 3, 4, 7, 8, 9, 31, 1000):
        data = os.urandom(length)
        masked = speedups.websocket_mask(mask, data)
        assert masked == util._websocket_mask_python(mask, data)
        assert speedups.websocket_mask(mask, masked) == data


def test_it_is_the_one_that_is_used():
    assert util._websocket_mask is speedups.websocket_mask
