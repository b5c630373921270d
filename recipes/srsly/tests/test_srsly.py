"""JSON, MessagePack and YAML, each by a compiled module."""

import srsly

DATA = {"a": [1, 2.5, "ü", None], "b": {"c": True}}


def test_round_trips():
    assert srsly.json_loads(srsly.json_dumps(DATA)) == DATA
    assert srsly.msgpack_loads(srsly.msgpack_dumps(DATA)) == DATA
    assert srsly.yaml_loads(srsly.yaml_dumps(DATA)) == DATA
    assert srsly.pickle_loads(srsly.pickle_dumps(lambda x: x + 1))(2) == 3
