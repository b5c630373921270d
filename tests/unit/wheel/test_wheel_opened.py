from __future__ import annotations

import pytest

from forge.wheel.opened import opened_libraries

MODULES = {"Crypto/Cipher/_raw_aes.abi3.so": "Crypto.Cipher._raw_aes", "Crypto/_x.abi3.so": "Crypto._x"}
LOADER = ("Crypto/Util/_raw_api.py", b"    from ctypes import CDLL\n")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b'load_lib("Crypto.Cipher._raw_aes",\n', {"Crypto/Cipher/_raw_aes.abi3.so"}),
        (b"CDLL(here + '/_raw_aes.abi3.so')", {"Crypto/Cipher/_raw_aes.abi3.so"}),
        (b"import Crypto.Cipher._raw_aes", set()),
        (b'"Crypto.Cipher._raw_aes2"', set()),
    ],
)
def test_a_file_that_code_names_is_opened(text: bytes, found: set[str]) -> None:
    assert opened_libraries(MODULES, [LOADER, ("Crypto/Cipher/AES.py", text)]) == found


def test_not_by_a_package_without_ctypes() -> None:
    text = b'importlib.import_module("Crypto.Cipher._raw_aes")'
    assert opened_libraries(MODULES, [("Crypto/a.py", text), ("other/b.py", b"import ctypes")]) == frozenset()


def test_by_a_module_beside_the_package() -> None:
    modules = {"_soundfile_data/_libsndfile.abi3.so": "_soundfile_data._libsndfile"}
    text = b'import cffi\nlibrary = find_spec("_soundfile_data._libsndfile").origin'
    assert opened_libraries(modules, [("soundfile.py", text)]) == set(modules)
    assert opened_libraries(modules, [("soundfile.py", text), ("_soundfile_data/__init__.py", b"")]) == set(modules)


def test_nothing_compiled() -> None:
    assert opened_libraries({}, [LOADER]) == frozenset()
