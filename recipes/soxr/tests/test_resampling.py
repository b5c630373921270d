"""Sounds resampled by libsoxr."""

import numpy as np
import pytest
import soxr

_SECOND = 8000
_TONE = np.sin(2 * np.pi * 440 * np.arange(_SECOND) / _SECOND)


@pytest.mark.parametrize("rate", [16000, 11025, 6000])
@pytest.mark.parametrize("quality", ["QQ", "LQ", "MQ", "HQ", "VHQ"])
def test_a_tone_stays_a_tone(rate, quality):
    result = soxr.resample(_TONE, _SECOND, rate, quality=quality)
    assert abs(len(result) - rate) <= 1
    expected = np.sin(2 * np.pi * 440 * np.arange(len(result)) / rate)
    middle = slice(rate // 4, 3 * rate // 4)
    assert np.abs(result[middle] - expected[middle]).max() < (0.1 if quality == "QQ" else 0.01)


@pytest.mark.parametrize(("kind", "scale"), [("float32", 1), ("float64", 1), ("int16", 30000), ("int32", 2e9)])
def test_types_and_channels(kind, scale):
    sound = (np.stack([_TONE, -_TONE], axis=1) * scale).astype(kind)
    result = soxr.resample(sound, _SECOND, 16000)
    assert result.dtype == kind
    assert result.shape == (16000, 2)
    left, right = result[4000:12000].astype(float).T / scale
    assert np.abs(left + right).max() < 1e-3
    assert left.max() == pytest.approx(1, abs=0.01)


def test_a_stream():
    stream = soxr.ResampleStream(_SECOND, 16000, 1, dtype="float64", quality="HQ")
    parts = [stream.resample_chunk(_TONE[at : at + 500], last=at + 500 == _SECOND) for at in range(0, _SECOND, 500)]
    assert np.allclose(np.concatenate(parts), soxr.resample(_TONE, _SECOND, 16000), atol=1e-6)


def test_what_is_above_the_new_limit_goes():
    high = np.sin(2 * np.pi * 3500 * np.arange(_SECOND) / _SECOND)
    assert np.abs(soxr.resample(high, _SECOND, 4000)[500:3500]).max() < 1e-3


def test_a_wrong_rate():
    with pytest.raises(ValueError, match="rate"):
        soxr.resample(_TONE, _SECOND, 0)
