"""Broken code in wheels gives findings, never another error."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from forge.frameworks.plists import read_plist
from tests.unit.frameworks.modules import ARM, make, module, suffix, wheel

DATA = module(ARM)
END = 0x400
"""Where the load commands have ended."""


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, END - 1), st.integers(0, 255)), min_size=1, max_size=6), st.integers(0, 20))
def test_mutated_modules(changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(DATA)
    for at, value in changes:
        data[at] = value
    if cut < 10:
        del data[len(data) * cut // 10 :]
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        made = make(root, [wheel(root, ARM, {f"_x{suffix(ARM)}": bytes(data)})], xcframeworks=True)
        assert (made.directory is None) == any(one.is_error for one in made.findings)
        assert (root / "out").exists() == (made.directory is not None)


@given(
    st.binary(max_size=200) | st.binary(max_size=60).map(lambda body: b"bplist00" + body) | st.text().map(str.encode)
)
def test_any_bytes_may_stand_for_a_plist(data: bytes) -> None:
    assert read_plist(data) is None or isinstance(read_plist(data), dict)


def test_plists_that_are_none() -> None:
    for body in ("<dict><key>a</key></dict>", "<integer>x</integer>", "<date>x</date>", "<data>=</data>", "<a/>"):
        assert read_plist(f'<plist version="1.0">{body}</plist>'.encode()) is None
    bomb = b'<!DOCTYPE p [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><plist><dict><key>a</key><string>&b;</string></dict>'
    assert read_plist(bomb) is None
