"""Messages in compiled code (upb)."""

import pytest
from google.protobuf import descriptor_pb2, duration_pb2, json_format, message, struct_pb2
from google.protobuf.internal import api_implementation


def test_the_compiled_code_is_taken():
    assert api_implementation.Type() == "upb"


def test_messages():
    struct = struct_pb2.Struct()
    struct.update({"a": [1, "ü", None, {"b": True}]})
    data = struct.SerializeToString(deterministic=True)
    again = struct_pb2.Struct.FromString(data)
    assert again == struct
    assert json_format.MessageToDict(again) == {"a": [1.0, "ü", None, {"b": True}]}
    file = descriptor_pb2.FileDescriptorProto(name="x.proto")
    file.message_type.add(name="M").field.add(name="f", number=1)
    assert descriptor_pb2.FileDescriptorProto.FromString(file.SerializeToString()).message_type[0].field[0].name == "f"


def test_damaged_data():
    with pytest.raises(message.DecodeError):
        duration_pb2.Duration.FromString(b"\x08")
