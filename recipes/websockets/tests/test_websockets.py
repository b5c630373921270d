"""Masking frames is in compiled code."""

from websockets import frames, speedups, utils


def test_the_compiled_code_is_taken():
    assert frames.apply_mask is speedups.apply_mask


def test_masks():
    mask = b"\x01\x02\x04\x08"
    for length in range(70):
        data = bytes(range(length))
        masked = speedups.apply_mask(data, mask)
        assert masked == utils.apply_mask(data, mask)
        assert speedups.apply_mask(masked, mask) == data
