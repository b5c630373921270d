"""Scanning and emitting with libyaml."""

import io

import _ruamel_yaml
from ruamel.yaml import YAML

TEXT = "a: [1, ü]\nb: &x {c: 2}\nd: *x\n"


def test_a_scanner():
    parser = _ruamel_yaml.CParser(TEXT)
    names = []
    while (token := parser.get_token()) is not None:
        names.append(type(token).__name__)
    assert names[:3] == ["StreamStartToken", "BlockMappingStartToken", "KeyToken"]
    assert {"AnchorToken", "AliasToken", "FlowSequenceStartToken"} <= set(names)


def test_both_ways():
    yaml = YAML(typ="safe")
    value = yaml.load(TEXT)
    assert value == {"a": [1, "ü"], "b": {"c": 2}, "d": {"c": 2}}
    out = io.StringIO()
    yaml.dump(value, out)
    assert yaml.load(out.getvalue()) == value
