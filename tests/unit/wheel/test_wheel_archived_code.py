"""Archives in a wheel that hold code, or only look like archives."""

from __future__ import annotations

import pytest

from forge.wheel.archived_code import archived_code
from tests.unit.audit.broken import SOUND, zipped

CODE = zipped("lib/x.dylib", SOUND)


def test_code_in_an_archive() -> None:
    assert archived_code(CODE) == "lib/x.dylib"
    assert archived_code(zipped("x.py", b"import x")) is None
    assert archived_code(SOUND) is None


@pytest.mark.parametrize("size", [4, 20, len(CODE) // 2, len(CODE) - 1])
def test_what_only_starts_like_an_archive(size: int) -> None:
    assert archived_code(CODE[:size]) is None


def test_any_changed_byte_is_no_error() -> None:
    for at in range(0, len(CODE), 7):
        archived_code(CODE[:at] + bytes([CODE[at] ^ 0xFF]) + CODE[at + 1 :])
