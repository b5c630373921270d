"""Records there and back, in compiled code."""

import io

import fastavro
from fastavro import _read

SCHEMA = fastavro.parse_schema({
    "type": "record", "name": "R",
    "fields": [{"name": "a", "type": "long"}, {"name": "b", "type": ["null", {"type": "array", "items": "string"}]}],
})  # fmt: skip


def test_the_compiled_code_is_taken():
    assert fastavro.reader is _read.reader


def test_records():
    rows = [{"a": number, "b": None if number % 2 else ["ü", "x" * number]} for number in range(500)]
    for codec in ("null", "deflate"):
        file = io.BytesIO()
        fastavro.writer(file, SCHEMA, rows, codec=codec)
        file.seek(0)
        assert list(fastavro.reader(file)) == rows
