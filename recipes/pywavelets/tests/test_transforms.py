"""Signals taken apart and put together again by the compiled code."""

import numpy as np
import pytest
import pywt

_SIGNAL = np.random.default_rng(3).normal(size=200)


def test_a_known_transform():
    approximation, detail = pywt.dwt([3, 7, 1, 1], "haar")
    assert np.allclose(approximation, np.array([10, 2]) / 2**0.5)
    assert np.allclose(detail, np.array([-4, 0]) / 2**0.5)


@pytest.mark.parametrize("wavelet", ["haar", "db7", "sym5", "coif3", "bior4.4", "rbio2.8"])
@pytest.mark.parametrize("mode", ["zero", "symmetric", "periodization", "smooth"])
def test_there_and_back(wavelet, mode):
    parts = pywt.wavedec(_SIGNAL, wavelet, mode=mode, level=2)
    assert np.allclose(pywt.waverec(parts, wavelet, mode=mode), _SIGNAL)


@pytest.mark.parametrize("kind", ["float32", "float64", "complex64", "complex128"])
def test_types(kind):
    image = np.outer(_SIGNAL[:64], _SIGNAL[64:128]).astype(kind)
    coefficients = pywt.dwt2(image, "db2")
    assert coefficients[0].dtype == kind
    assert np.allclose(pywt.idwt2(coefficients, "db2"), image, atol=1e-4)


def test_stationary_transform():
    parts = pywt.swt(_SIGNAL[:192], "db3", level=3, norm=True, trim_approx=True)
    assert sum((part**2).sum() for part in parts) == pytest.approx((_SIGNAL[:192] ** 2).sum())
    assert np.allclose(pywt.iswt(parts, "db3", norm=True), _SIGNAL[:192])


def test_packets():
    packet = pywt.WaveletPacket(_SIGNAL, "db1", maxlevel=3)
    assert len(packet.get_level(3)) == 8
    assert np.allclose(packet.reconstruct(update=False), _SIGNAL)


def test_continuous_transform_finds_the_frequency():
    time = np.arange(512) / 512
    scales = np.arange(2, 64)
    coefficients, frequencies = pywt.cwt(np.sin(2 * np.pi * 32 * time), scales, "cmor1.5-1.0", 1 / 512)
    assert frequencies[np.abs(coefficients).sum(axis=1).argmax()] == pytest.approx(32, rel=0.05)


def test_an_unknown_wavelet():
    with pytest.raises(ValueError, match="db99"):
        pywt.Wavelet("db99")
