"""What is said of two wheels that are not the same."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from forge.macho.reader import read_macho
from forge.plan.wheel_differences import Difference, wheel_differences
from tests.unit.macho.builder import macho
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    return tmp_path / "one", tmp_path / "two"


def said(found: tuple[Difference, ...]) -> list[tuple[str, str]]:
    return [(each.member, each.what) for each in found]


def test_the_same(two: tuple[Path, Path]) -> None:
    files = {"demo/__init__.py": b"x = 1\n"}
    assert wheel_differences(make_wheel(two[0], files), make_wheel(two[1], files)) == ()


def test_text_and_members(two: tuple[Path, Path]) -> None:
    first = make_wheel(two[0], {"demo/a.py": b"x = 1\ny = 2\n", "demo/gone.py": b"", "demo/raw": b"\xff\x00\x01"})
    second = make_wheel(two[1], {"demo/a.py": b"x = 1\ny = 3\n", "demo/new.py": b"", "demo/raw": b"\xff\x00\x02"})
    found = wheel_differences(first, second)
    assert said(found) == [
        ("demo/gone.py", "only in the first"),
        ("demo/new.py", "only in the second"),
        ("demo/a.py", "the text differs"),
        ("demo/raw", "1 of 3 bytes differ, the first at 0x2"),
    ], "RECORD follows from the others"
    assert found[2].lines == ("@@ -2 +2 @@", "-y = 2", "+y = 3")


def test_a_bill_of_materials(two: tuple[Path, Path]) -> None:
    member = "example-1.0.dist-info/sboms/forge.cdx.json"
    wheels = [
        make_wheel(place, {member: json.dumps({"metadata": {"tool": {"version": version}}, "x": 1}).encode()})
        for place, version in zip(two, ("1", "2"), strict=True)
    ]
    (found,) = wheel_differences(*wheels)
    assert (found.member, found.what) == (member, "1 values differ")
    assert found.lines == ('metadata.tool.version: "1" -> "2"',)


def test_only_the_archive(two: tuple[Path, Path]) -> None:
    first = make_wheel(two[0], {"demo/a.py": b"x = 1\n" * 100})
    second = two[1] / first.name
    with zipfile.ZipFile(first) as source, zipfile.ZipFile(second, "w") as copy:
        for info in source.infolist():
            data = source.read(info)
            info.date_time = (2001, 2, 3, 4, 5, 6)
            copy.writestr(info, data)
    found = wheel_differences(first, second)
    assert found
    assert {what.partition(":")[0] for _, what in said(found)} <= {"the time differs", "the compressed size differs"}
    assert ("demo/a.py", "the time differs: (2024, 1, 1, 0, 0, 0) -> (2001, 2, 3, 4, 5, 6)") in said(found)


def test_binaries_are_told_by_section(two: tuple[Path, Path]) -> None:
    before = macho()
    text = next(s for segment in read_macho(before).slices[0].segments for s in segment.sections if s.size)
    after = bytearray(before)
    after[text.offset + 1] ^= 0xFF
    first = make_wheel(two[0], {"example/_x.so": before})
    second = make_wheel(two[1], {"example/_x.so": bytes(after)})
    (found,) = wheel_differences(first, second)
    assert (found.member, found.what) == ("example/_x.so", "the binaries differ")
    assert len(found.lines) == 1
    assert f",{text.name}: 1 of {text.size:,} bytes differ, the first at 0x1" in found.lines[0]


def test_another_uuid(two: tuple[Path, Path]) -> None:
    after = macho()
    before = after.replace(bytes(range(16)), bytes(16))
    first = make_wheel(two[0], {"example/_x.so": before})
    second = make_wheel(two[1], {"example/_x.so": after})
    (found,) = wheel_differences(first, second)
    assert found.lines[0] == f"arm64: UUID {'0' * 32} -> {bytes(range(16)).hex()}"
    assert found.lines[1].startswith("arm64: load commands: ")
