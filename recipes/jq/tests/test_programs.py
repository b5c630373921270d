"""jq programs compiled and run by libjq, with regular expressions by Oniguruma."""

import jq
import pytest


@pytest.mark.parametrize(
    ("program", "value", "results"),
    [
        (".a[] | .b + 1", {"a": [{"b": 1}, {"b": 2.5}]}, [2, 3.5]),
        ("group_by(.k) | map({(.[0].k): length}) | add", [{"k": "x"}, {"k": "y"}, {"k": "x"}], [{"x": 2, "y": 1}]),
        ("[range(5)] | map(select(. % 2 == 0))", None, [[0, 2, 4]]),
        ("def f: if . <= 1 then 1 else . * (. - 1 | f) end; f", 10, [3628800]),
        ("pow(2; 10), (9 | sqrt), (1 | exp | floor)", None, [1024, 3, 2]),
        ("0 | todate", None, ["1970-01-01T00:00:00Z"]),
        ("@base64, @uri", "a b", ["YSBi", "a%20b"]),
    ],
)
def test_programs(program, value, results):
    assert jq.compile(program).input_value(value).all() == results


def test_regular_expressions():
    text = "l\xf6w 12, high 345"
    assert jq.first(r'[match("(?<n>\\d+)"; "g").captures[0].string]', text) == ["12", "345"]
    assert jq.first(r'sub("(?<w>\\p{L}+)"; "<" + .w + ">")', text) == "<l\xf6w> 12, high 345"


def test_texts_and_arguments():
    program = jq.compile(".x + $y", args={"y": 2})
    assert program.input_text('{"x": 1} {"x": 10}').all() == [3, 12]


def test_errors():
    with pytest.raises(ValueError, match="compile error"):
        jq.compile(".a |")
    with pytest.raises(ValueError, match="Cannot index"):
        jq.compile(".a").input_value(1).first()
