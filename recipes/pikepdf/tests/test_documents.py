"""qpdf's engine through pikepdf: documents are made, written, encrypted, taken apart and mended."""

from __future__ import annotations

import io
import zlib
from decimal import Decimal

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Pdf


def document(pages: int = 1) -> Pdf:
    pdf = Pdf.new()
    for number in range(pages):
        pdf.add_blank_page(page_size=(200 + number, 100))
    return pdf


def written(pdf: Pdf, **options: object) -> bytes:
    stream = io.BytesIO()
    pdf.save(stream, **options)
    return stream.getvalue()


def test_pages_come_back() -> None:
    with Pdf.open(io.BytesIO(written(document(3)))) as pdf:
        assert [page.mediabox.as_list()[2] for page in pdf.pages] == [200, 201, 202]
        del pdf.pages[1]
        pdf.pages.reverse()
        assert [page.mediabox.as_list()[2] for page in pdf.pages] == [202, 200]


def test_objects_are_those_of_pdf() -> None:
    found = pikepdf.Object.parse(b"<< /A [1 2.50 (text) <00ff> /Name true null] >>")
    assert found == Dictionary(A=Array([1, Decimal("2.50"), "text", b"\x00\xff", Name.Name, True, None]))
    assert found.A.unparse() == b"[ 1 2.50 (text) <00ff> /Name true null ]"


def test_streams_are_compressed_and_decoded() -> None:
    pdf = document()
    data = b"0 0 m 10 10 l S\n" * 500
    pdf.pages[0].Contents = pdf.make_stream(data)
    made = written(pdf, compress_streams=True)
    assert len(made) < len(data)
    with Pdf.open(io.BytesIO(made)) as again:
        contents = again.pages[0].Contents
        assert contents.Filter == Name.FlateDecode
        assert zlib.decompress(contents.read_raw_bytes()) == contents.read_bytes() == data
        operators = {str(each.operator) for each in pikepdf.parse_content_stream(again.pages[0])}
        assert operators == {"m", "l", "S"}


OWNER, USER, OTHER = "owner", "user", "other"


@pytest.mark.parametrize(("revision", "aes"), [(3, False), (4, True), (6, True)])
def test_encryption(revision: int, aes: bool) -> None:
    pdf = document()
    pdf.docinfo[Name.Title] = "Füße"
    made = written(pdf, encryption=pikepdf.Encryption(owner=OWNER, user=USER, R=revision, aes=aes, metadata=aes))
    with pytest.raises(pikepdf.PasswordError):
        Pdf.open(io.BytesIO(made), password=OTHER)
    with Pdf.open(io.BytesIO(made), password=USER) as again:
        assert again.is_encrypted
        assert revision == again.encryption.R
        assert str(again.docinfo[Name.Title]) == "Füße"


def test_object_streams_and_linearisation() -> None:
    made = written(document(20), object_stream_mode=pikepdf.ObjectStreamMode.generate, linearize=True)
    with Pdf.open(io.BytesIO(made)) as again:
        assert again.is_linearized
        assert again.check_pdf_syntax() == []
        assert len(again.pages) == 20


def test_pages_are_copied_between_documents() -> None:
    one, other = document(2), document(1)
    other.pages.extend(one.pages)
    del one
    with Pdf.open(io.BytesIO(written(other))) as again:
        assert [page.mediabox.as_list()[2] for page in again.pages] == [200, 200, 201]


def test_a_broken_file_is_mended() -> None:
    made = written(document(2), object_stream_mode=pikepdf.ObjectStreamMode.disable)
    broken = made.replace(b"startxref", b"startxxxx")
    with Pdf.open(io.BytesIO(broken)) as again:
        assert len(again.pages) == 2
        assert again.get_warnings()


def test_what_is_no_pdf() -> None:
    with pytest.raises(pikepdf.PdfError):
        Pdf.open(io.BytesIO(b"no PDF at all"))


def test_metadata_is_xmp() -> None:
    pdf = document()
    with pdf.open_metadata() as metadata:
        metadata["dc:title"] = "A title"
    with Pdf.open(io.BytesIO(written(pdf))) as again, again.open_metadata() as metadata:
        assert metadata["dc:title"] == "A title"
