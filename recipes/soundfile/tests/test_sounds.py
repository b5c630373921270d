"""Sounds are written in several formats and read again."""

import io

import numpy as np
import pytest
import soundfile

RATE = 48000


def tone(seconds=0.5):
    time = np.arange(int(RATE * seconds)) / RATE
    return np.column_stack([0.5 * np.sin(2 * np.pi * 440 * time), 0.25 * np.cos(2 * np.pi * 880 * time)])


@pytest.mark.parametrize(
    ("container", "subtype", "dtype"),
    [
        ("WAV", "PCM_16", "int16"),
        ("AIFF", "PCM_24", "int32"),
        ("FLAC", "PCM_24", "int32"),
        ("CAF", "ALAC_16", "int16"),
        ("W64", "PCM_32", "int32"),
    ],
)
def test_lossless(container, subtype, dtype):
    samples = (tone() * 32000).astype("int16").astype(dtype)
    if dtype == "int32":
        samples <<= 16
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format=container, subtype=subtype)
    file.seek(0)
    read, rate = soundfile.read(file, dtype=dtype)
    assert rate == RATE
    np.testing.assert_array_equal(read, samples)


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_lossy(subtype, tmp_path):
    path = tmp_path / "tone.ogg"
    soundfile.write(path, tone(), RATE, format="OGG", subtype=subtype)
    assert path.stat().st_size < tone().size
    read, rate = soundfile.read(path)
    assert rate == RATE
    assert read.shape == tone().shape
    assert np.abs(read[2000:-2000] - tone()[2000:-2000]).max() < 0.05
    info = soundfile.info(path)
    assert (info.channels, info.subtype) == (2, subtype)


def test_seek_and_blocks(tmp_path):
    path = tmp_path / "tone.flac"
    soundfile.write(path, tone(), RATE)
    with soundfile.SoundFile(path) as file:
        assert len(file) == len(tone())
        file.seek(1000)
        np.testing.assert_allclose(file.read(10), tone()[1000:1010], atol=1e-4)
    assert sum(len(block) for block in soundfile.blocks(path, blocksize=1000)) == len(tone())


def test_floating_point():
    file = io.BytesIO()
    soundfile.write(file, tone(), RATE, format="WAV", subtype="DOUBLE")
    file.seek(0)
    np.testing.assert_array_equal(soundfile.read(file)[0], tone())


def test_formats():
    assert {"WAV", "FLAC", "OGG", "AIFF", "CAF"} <= set(soundfile.available_formats())
    assert {"VORBIS", "OPUS"} <= set(soundfile.available_subtypes("OGG"))
    assert soundfile.__libsndfile_version__ == "1.2.2"


def test_what_is_no_sound():
    with pytest.raises(soundfile.LibsndfileError, match="Format not recognised"):
        soundfile.read(io.BytesIO(b"no sound at all, though of some length" * 10))
