"""Which encoding a text is in; the mess detector is compiled."""

import charset_normalizer
import charset_normalizer.md

TEXT = "Всеки човек има право на образование. Всяко образование трябва да бъде безплатно. " * 8


def test_the_compiled_code_is_taken():
    assert not charset_normalizer.md.__file__.endswith(".py")


def test_encodings():
    assert charset_normalizer.from_bytes(TEXT.encode()).best().encoding == "utf_8"
    best = charset_normalizer.from_bytes(TEXT.encode("cp1251")).best()
    assert str(best) == TEXT


def test_what_is_no_text():
    assert charset_normalizer.is_binary(bytes(range(256)) * 20)
