"""Types of files are told by the library and the database in the wheel."""

import gzip
import io
import lzma
import sqlite3
import wave
import zipfile
import zlib
from pathlib import Path

import magic
import pytest


def sound():
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(400))
    return buffer.getvalue()


def chunk(kind, data):
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def picture():
    header = (3).to_bytes(4, "big") + (2).to_bytes(4, "big") + bytes([8, 0, 0, 0, 0])
    data = zlib.compress(bytes(8))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def archive():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a", b"x" * 100)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "application/pdf"),
        (picture(), "image/png"),
        (sound(), "audio/x-wav"),
        (b'{"a": [1, 2]}\n', "application/json"),
        (b"", "application/x-empty"),
        (archive(), "application/zip"),
        (gzip.compress(b"x"), "application/gzip"),
        (b"#!/usr/bin/env python3\nprint(1)\n", "text/x-script.python"),
        ("Grüße aus Köln\n".encode(), "text/plain"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_mime(data, mime):
    assert magic.from_buffer(data, mime=True) == mime


def test_file(tmp_path):
    path = tmp_path / "bild"
    path.write_bytes(picture())
    assert magic.from_file(path, mime=True) == "image/png"
    with path.open("rb") as file:
        assert magic.from_descriptor(file.fileno(), mime=True) == "image/png"
    with pytest.raises(FileNotFoundError):
        magic.from_file(tmp_path / "none")


def test_descriptions_and_encodings(tmp_path):
    with sqlite3.connect(tmp_path / "base") as connection:
        connection.execute("create table t (i)")
    assert magic.from_file(tmp_path / "base").startswith("SQLite 3.x database")
    assert magic.from_buffer(picture()) == "PNG image data, 3 x 2, 8-bit grayscale, non-interlaced"
    encoding = magic.Magic(mime_encoding=True)
    assert encoding.from_buffer("Grüße".encode()) == "utf-8"
    assert encoding.from_buffer("Grüße".encode("latin-1")) == "iso-8859-1"


def test_inside_compressed_files():
    told = magic.Magic(mime=True, uncompress=True)
    assert told.from_buffer(gzip.compress(picture())).startswith("image/png")
    assert told.from_buffer(lzma.compress(picture())).startswith("image/png")


def test_a_database_of_ones_own(tmp_path):
    source = tmp_path / "own"
    source.write_text("0\tstring\tFORGE\tForge data\n!:mime\tapplication/x-forge\n")
    assert magic.Magic(mime=True, magic_file=str(source)).from_buffer(b"FORGE 1") == "application/x-forge"
    assert magic.Magic(magic_file=str(source)).from_buffer(b"FORGE 1") == "Forge data"


def test_version():
    assert magic.version() == 547
    assert Path(magic.__file__).with_name("magic.mgc").is_file()
