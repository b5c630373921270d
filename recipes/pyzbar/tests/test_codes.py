"""Bar codes are read from images that are drawn here."""

import pytest
from PIL import Image
from pyzbar.pyzbar import PyZbarError, ZBarSymbol, decode

LEFT = ["0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011"]
PARITY = ["LLLLLL", "LLGLGG", "LLGGLG", "LLGGGL", "LGLLGG", "LGGLLG", "LGGGLL", "LGLGLG", "LGLGGL", "LGGLGL"]
NARROW = {"A": "100001001", "B": "001001001", "1": "100100001", "*": "010010100"}


def complement(bits):
    return "".join("10"[int(bit)] for bit in bits)


def image_of(bits, scale=3, height=60):
    bits = "0" * 12 + bits + "0" * 12
    row = bytes(0 if bit == "1" else 255 for bit in bits for _ in range(scale))
    return Image.frombytes("L", (len(row), height), row * height)


def ean13(digits):
    left = ""
    for digit, parity in zip(digits[1:7], PARITY[int(digits[0])], strict=False):
        code = LEFT[int(digit)]
        left += code if parity == "L" else complement(code)[::-1]
    right = "".join(complement(LEFT[int(digit)]) for digit in digits[7:])
    return "101" + left + "01010" + right + "101"


def code39(text):
    bits = []
    for letter in f"*{text}*":
        elements = NARROW[letter]
        bits.append("".join("10"[i % 2] * (3 if wide == "1" else 1) for i, wide in enumerate(elements)))
    return "0".join(bits)


def test_ean13():
    (code,) = decode(image_of(ean13("4006381333931")))
    assert (code.data, code.type) == (b"4006381333931", "EAN13")
    assert code.rect.width > 200
    assert code.quality > 1


def test_code39():
    (code,) = decode(image_of(code39("AB1")))
    assert (code.data, code.type) == (b"AB1", "CODE39")


def test_rotated():
    (code,) = decode(image_of(ean13("4006381333931"), height=80).rotate(90, expand=True))
    assert code.data == b"4006381333931"


def test_chosen_symbols():
    image = image_of(ean13("4006381333931"))
    assert decode(image, symbols=[ZBarSymbol.QRCODE]) == []
    assert len(decode(image, symbols=[ZBarSymbol.EAN13])) == 1


def test_pixels():
    image = image_of(ean13("4006381333931"))
    (code,) = decode((image.tobytes(), *image.size))
    assert code.data == b"4006381333931"
    with pytest.raises(PyZbarError):
        decode((b"123", 10, 10))


def test_a_wrong_check_digit():
    assert decode(image_of(ean13("4006381333932"))) == []


def test_nothing():
    assert decode(Image.new("L", (100, 100), 255)) == []
