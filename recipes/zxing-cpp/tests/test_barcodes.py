"""Barcodes are written as images and read from them again."""

import pytest
import zxingcpp
from zxingcpp import BarcodeFormat


@pytest.mark.parametrize(
    ("barcode_format", "text"),
    [
        (BarcodeFormat.QRCode, "I have the best words."),
        (BarcodeFormat.Aztec, "Grüße aus Köln"),
        (BarcodeFormat.DataMatrix, "data matrix 42"),
        (BarcodeFormat.PDF417, "stacked lines"),
        (BarcodeFormat.Code128, "ABC-abc-1234"),
        (BarcodeFormat.EAN13, "4006381333931"),
    ],
)
def test_what_is_written_is_read(barcode_format, text):
    image = zxingcpp.create_barcode(text, barcode_format).to_image(scale=4)
    found = zxingcpp.read_barcodes(image)
    assert [(code.format, code.text) for code in found] == [(barcode_format, text)]


def test_bytes():
    code = zxingcpp.create_barcode(bytes(range(32)), BarcodeFormat.QRCode)
    found = zxingcpp.read_barcode(code.to_image(scale=3))
    assert found.bytes == bytes(range(32))
    assert found.content_type == zxingcpp.ContentType.Binary


def test_a_rotated_image():
    image = memoryview(zxingcpp.create_barcode("turned", BarcodeFormat.QRCode).to_image(scale=4))
    height, width = image.shape
    rows = image.tolist()
    turned = bytes(rows[height - 1 - x][y] for y in range(width) for x in range(height))
    found = zxingcpp.read_barcode(memoryview(turned).cast("B", shape=(width, height)))
    assert found.text == "turned"
    assert found.orientation % 360 in (90, -90 % 360)


def test_no_barcode():
    blank = memoryview(bytes([255]) * 10000).cast("B", shape=(100, 100))
    assert zxingcpp.read_barcode(blank) is None


def test_a_wrong_check_digit():
    with pytest.raises(ValueError, match="Invalid check digit"):
        zxingcpp.create_barcode("4006381333932", BarcodeFormat.EAN13)


def test_svg():
    svg = zxingcpp.create_barcode("drawn", BarcodeFormat.QRCode).to_svg()
    assert svg.startswith("<?xml")
    assert "</svg>" in svg
