"""libyaml, linked in: what it reads and writes is what the Python code does, and its errors say where."""

import io

import pytest
import yaml
from yaml._yaml import get_version, get_version_string

DOCUMENT = """\
name: gr\u00fc\u00df dich
when: 2026-11-21
numbers: [1, 0x10, 1.5e3, .inf, ~]
block: |
  two
  lines
anchors: {first: &a [x, y], second: *a}
data: !!binary aGVsbG8=
"""


def test_it_reads_what_the_python_code_reads():
    assert yaml.__with_libyaml__
    assert ".".join(map(str, get_version())) == get_version_string()
    read = yaml.load(DOCUMENT, Loader=yaml.CSafeLoader)
    assert read == yaml.load(DOCUMENT, Loader=yaml.SafeLoader)
    assert (read["name"], read["data"]) == ("gr\u00fc\u00df dich", b"hello")
    assert read["anchors"]["first"] is read["anchors"]["second"]


def test_a_stream_and_back():
    read = [{"n": n, "text": "\u00e4" * n} for n in range(300)]
    written = io.BytesIO()
    yaml.dump_all(read, written, Dumper=yaml.CSafeDumper, encoding="utf-8", allow_unicode=True)
    written.seek(0)
    assert list(yaml.load_all(written, Loader=yaml.CSafeLoader)) == read


def test_an_error_says_where():
    with pytest.raises(yaml.scanner.ScannerError) as caught:
        yaml.load("a: b\nc: d: e\n", Loader=yaml.CSafeLoader)
    assert (caught.value.problem_mark.line, caught.value.problem_mark.column) == (1, 4)
