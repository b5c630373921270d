"""Tensors to bytes, to files and back, without any framework of tensors."""

import ctypes
import json
import struct

import pytest
import safetensors

DATA = {
    "weight": ("float32", [2, 2], struct.pack("<4f", 1, 2, 3, -4.5)),
    "bias": ("int64", [2], struct.pack("<2q", 7, -7)),
}
# A specification points to its tensor's bytes, which its maker keeps.
BUFFERS = {name: ctypes.create_string_buffer(data, len(data)) for name, (_, _, data) in DATA.items()}
TENSORS = {
    name: safetensors.TensorSpec(dtype=dtype, shape=shape, data_ptr=ctypes.addressof(BUFFERS[name]), data_len=len(data))
    for name, (dtype, shape, data) in DATA.items()
}


def test_bytes_and_back():
    written = safetensors.serialize(TENSORS, {"made": "here"})
    (length,) = struct.unpack("<Q", written[:8])
    header = json.loads(written[8 : 8 + length])
    assert header["__metadata__"] == {"made": "here"}
    assert header["weight"]["shape"] == [2, 2]
    read = dict(safetensors.deserialize(written))
    assert {name: bytes(one["data"]) for name, one in read.items()} == {name: data for name, (*_, data) in DATA.items()}
    assert {name: one["dtype"] for name, one in read.items()} == {"weight": "F32", "bias": "I64"}


def test_a_file_is_what_the_bytes_are(tmp_path):
    safetensors.serialize_file(TENSORS, tmp_path / "model.safetensors")
    assert (tmp_path / "model.safetensors").read_bytes() == bytes(safetensors.serialize(TENSORS))


@pytest.mark.parametrize("size", [0, 7, 40])
def test_what_is_cut_off_is_refused(size):
    written = safetensors.serialize(TENSORS)
    with pytest.raises(safetensors.SafetensorError):
        safetensors.deserialize(bytes(written[:size]))
